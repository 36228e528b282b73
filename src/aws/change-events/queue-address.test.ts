import { expect, it } from 'vitest';
import { queueAddress } from './queue-address.ts';

const OWN = { endpoints: {}, useFipsEndpoint: false, useDualstackEndpoint: false };

it.for<readonly [string, string]>([
  ['https://sqs.eu-west-1.amazonaws.com/111122223333/changes', 'eu-west-1'],
  ['https://sqs-fips.us-gov-west-1.amazonaws.com/111122223333/changes', 'us-gov-west-1'],
  ['https://sqs.cn-north-1.amazonaws.com.cn/111122223333/changes', 'cn-north-1'],
  ['https://sqs.us-iso-east-1.c2s.ic.gov/111122223333/changes', 'us-iso-east-1'],
  ['https://sqs.ap-southeast-2.api.aws/111122223333/changes', 'ap-southeast-2'],
  ['https://eu-west-1.queue.amazonaws.com/111122223333/changes', 'eu-west-1'],
  ['https://queue.amazonaws.com/111122223333/changes', 'us-east-1'],
  ['https://vpce-0a1b2c3d-e4f5.sqs.eu-west-1.vpce.amazonaws.com/111122223333/changes', 'eu-west-1'],
  ['http://127.0.0.1:5000/111122223333/changes', 'us-east-1'],
])('uses the endpoint of the URL: %s', ([queueUrl, region]) => {
  const { origin } = new URL(queueUrl);

  expect(queueAddress(queueUrl, OWN)).toEqual({ region, endpoint: origin });
});

it.for<readonly [string, Partial<Parameters<typeof queueAddress>[1]>, string | undefined]>([
  ['an endpoint', { endpoints: { sqs: 'http://proxy.example' } }, 'http://proxy.example'],
  ['FIPS', { useFipsEndpoint: true }, undefined],
  ['IPv6 too', { useDualstackEndpoint: true }, undefined],
])('uses the endpoint of the settings, if there is one: %s', ([, changes, endpoint]) => {
  const queueUrl = 'https://sqs.eu-west-1.amazonaws.com/111122223333/changes';

  expect(queueAddress(queueUrl, { ...OWN, ...changes })).toEqual({ region: 'eu-west-1', endpoint });
});
