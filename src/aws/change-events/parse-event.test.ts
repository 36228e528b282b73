import { expect, it } from 'vitest';
import { parseChangeEvents } from './parse-event.ts';

const ARN = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop/db-a1B2c3';

/** An event of EventBridge. */
function event(source: string, detailType: string, detail: unknown, resources: readonly string[] = []) {
  return {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': detailType,
    source,
    account: '111122223333',
    time: '2026-02-06T16:43:48Z',
    region: 'eu-west-1',
    resources,
    detail,
  };
}

function apiCall(eventName: string, requestParameters: unknown, more: object = {}) {
  return event('aws.secretsmanager', 'AWS API Call via CloudTrail', {
    eventVersion: '1.11',
    eventTime: '2026-02-06T16:43:48Z',
    eventSource: 'secretsmanager.amazonaws.com',
    eventName,
    awsRegion: 'eu-west-1',
    userAgent: 'aws-cli/2.0.0',
    requestParameters,
    responseElements: { arn: ARN },
    readOnly: false,
    eventType: 'AwsApiCall',
    ...more,
  });
}

function serviceEvent(eventName: string, more: object) {
  return event('aws.secretsmanager', 'AWS Service Event via CloudTrail', {
    eventSource: 'secretsmanager.amazonaws.com',
    eventName,
    requestParameters: null,
    responseElements: null,
    ...more,
  });
}

const LABEL_UPDATED = event(
  'aws.secretsmanager',
  'Secret Label Updated',
  { name: 'shop/db', labelUpdated: 'AWSCURRENT', versionId: 'a1b2c3d4-5678-90ab-cdef-EXAMPLE11111' },
  [ARN],
);

it.for<readonly [string, unknown, string]>([
  ['a label that moved', LABEL_UPDATED, 'secretsmanager shop/db'],
  ['a new value', apiCall('PutSecretValue', { secretId: 'shop/db' }), 'secretsmanager shop/db'],
  ['a call by ARN', apiCall('UpdateSecret', { secretId: ARN }), `secretsmanager ${ARN}`],
  ['a label moved by hand', apiCall('UpdateSecretVersionStage', { secretId: 'shop/db' }), 'secretsmanager shop/db'],
  ['a restored secret', apiCall('RestoreSecret', { secretId: 'shop/db' }), 'secretsmanager shop/db'],
  ['a call that is new to us', apiCall('ChangeSecretSomehow', { secretId: 'shop/db' }), 'secretsmanager shop/db'],
  [
    'a rotation',
    serviceEvent('RotationSucceeded', { additionalEventData: { SecretId: ARN } }),
    `secretsmanager ${ARN}`,
  ],
  [
    'a rotation, told otherwise',
    serviceEvent('RotationSucceeded', { serviceEventDetails: { secretId: ARN } }),
    `secretsmanager ${ARN}`,
  ],
  [
    'a parameter',
    event('aws.ssm', 'Parameter Store Change', { operation: 'Update', name: '/shop/db', type: 'SecureString' }),
    'ssmparameter /shop/db',
  ],
])('reports %s, directly from EventBridge and through a topic', ([, told, expected]) => {
  const [store, id] = expected.split(' ');
  const events = [{ store, id, region: 'eu-west-1' }];

  expect(parseChangeEvents(JSON.stringify(told))).toEqual(events);
  expect(parseChangeEvents(JSON.stringify({ Type: 'Notification', Message: JSON.stringify(told) }))).toEqual(events);
});

it.for<readonly [string, unknown]>([
  ['a read', apiCall('GetSecretValue', { secretId: 'shop/db' })],
  ['a read of many', apiCall('BatchGetSecretValue', { secretIdList: ['shop/db'] })],
  ['a check of ours', apiCall('DescribeSecret', { secretId: 'shop/db' })],
  ['a list', apiCall('ListSecretVersionIds', { secretId: 'shop/db' })],
  ['a call that failed', apiCall('PutSecretValue', { secretId: 'shop/db' }, { errorCode: 'AccessDenied' })],
  ['a call without a secret', apiCall('GetRandomPassword', null)],
  ['a rotation that begins', serviceEvent('RotationStarted', { additionalEventData: { SecretId: ARN } })],
  ['a rotation that failed', serviceEvent('RotationFailed', { additionalEventData: { SecretId: ARN } })],
  ['a rotation of nothing', serviceEvent('RotationSucceeded', { additionalEventData: null })],
  ['a name longer than any', apiCall('PutSecretValue', { secretId: 'x'.repeat(2_049) })],
  ['a region longer than any', { ...LABEL_UPDATED, region: 'x'.repeat(65) }],
  ['a message larger than any', { ...LABEL_UPDATED, filling: 'x'.repeat(256 * 1024) }],
  ['an empty name', apiCall('PutSecretValue', { secretId: '' })],
  ['a name that is no text', apiCall('PutSecretValue', { secretId: ['shop/db'] })],
  ['an event without a region', { ...LABEL_UPDATED, region: undefined }],
  ['another service’s event', { ...LABEL_UPDATED, source: 'aws.s3' }],
  ['another event of the store', event('aws.ssm', 'Parameter Store Policy Action', { 'parameter-name': '/shop/db' })],
  ['an event without detail', { ...LABEL_UPDATED, detail: null }],
  ['a test message of S3', { Service: 'Amazon S3', Event: 's3:TestEvent' }],
  ['an envelope around an envelope', { Type: 'Notification', Message: '{"Type":"Notification","Message":"{}"}' }],
  ['an envelope without a message', { Type: 'Notification' }],
  ['null', null],
  ['a list of events', [LABEL_UPDATED]],
  ['a word', 'Secret Label Updated'],
])('ignores %s', ([, told]) => {
  expect(parseChangeEvents(JSON.stringify(told))).toEqual([]);
});

it.for(['', '{', 'not JSON', '\u0000'])('ignores a text that is not JSON: %o', (body) => {
  expect(parseChangeEvents(body)).toEqual([]);
});
