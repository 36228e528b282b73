import { BatchGetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, type Credentials, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AwsFakes, READ_ALL } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { openFakes } from './fetch-fixture.ts';

let fakes: AwsFakes;

beforeAll(async () => {
  fakes = await openFakes();
  const seed = await fakes.seed();
  await Promise.all([seed.secret('open-1', 'one'), seed.secret('closed-1', 'v')]);
});

afterAll(() => fakes[Symbol.asyncDispose]());

async function assume(roleArn: string): Promise<ReturnType<typeof clientConfig>> {
  const { Credentials: given } = await new STSClient(clientConfig()).send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn: roleArn,
      RoleSessionName: 'test',
      WebIdentityToken: mintToken('shop/cart'),
    }),
  );
  return clientConfig(given);
}

function clientConfig(keys: Credentials = { AccessKeyId: 'unknown', SecretAccessKey: 'x' } as Credentials) {
  const credentials = {
    accessKeyId: keys.AccessKeyId!,
    secretAccessKey: keys.SecretAccessKey!,
    sessionToken: keys.SessionToken ?? '',
  };
  return { region: 'us-east-1', endpoint: fakes.gate.url, credentials, maxAttempts: 1 };
}

it('refuses a batch to a role that may only get single secrets', async () => {
  const client = new SecretsManagerClient(await assume(fakes.addRole('single', ['shop/cart'])));

  await expect(client.send(new BatchGetSecretValueCommand({ SecretIdList: ['open-1'] }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining('secretsmanager:BatchGetSecretValue on resource: *'),
  });
});

it('returns a batch, with an error for each secret that is denied or missing', async () => {
  const allows = [
    { actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] },
    { actions: ['secretsmanager:GetSecretValue'], resources: ['*:secret:open-*'] },
  ];
  const client = new SecretsManagerClient(await assume(fakes.addRole('batch', ['shop/cart'], allows)));

  const { SecretValues, Errors } = await client.send(
    new BatchGetSecretValueCommand({ SecretIdList: ['open-1', 'open-none', 'closed-1'] }),
  );

  expect(SecretValues).toMatchObject([{ Name: 'open-1', SecretString: 'one' }]);
  expect(Errors).toMatchObject([
    { SecretId: 'open-none', ErrorCode: 'ResourceNotFoundException' },
    { SecretId: 'closed-1', ErrorCode: 'AccessDeniedException' },
  ]);
});

it('lets a role assume another that it is allowed to, and knows to which role a key belongs', async () => {
  const second = fakes.addRole('second', []);
  const allows = [{ actions: ['sts:AssumeRole'], resources: [second] }];
  const sts = new STSClient(await assume(fakes.addRole('first', ['shop/cart'], allows)));

  await sts.send(new AssumeRoleCommand({ RoleArn: second, RoleSessionName: 'hop' }));

  expect([...fakes.gate.state.sessions.values()].at(-1)).toMatchObject({ role: { arn: second }, name: 'hop' });
});

it('refuses a role that may not be assumed, and an unknown key', async () => {
  const other = fakes.addRole('other', []);
  const sts = new STSClient(await assume(fakes.addRole('reader', ['shop/cart'], [READ_ALL])));
  const stranger = new SecretsManagerClient(clientConfig());

  await expect(sts.send(new AssumeRoleCommand({ RoleArn: other, RoleSessionName: 'hop' }))).rejects.toMatchObject({
    name: 'AccessDenied',
    message: expect.stringContaining(`sts:AssumeRole on resource: ${other}`),
  });
  await expect(stranger.send(new BatchGetSecretValueCommand({ SecretIdList: ['open-1'] }))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  });
});
