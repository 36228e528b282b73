import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openClients } from '../../../src/aws/client/clients.ts';
import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { createServerClock } from '../../../src/concurrency/server-clock.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import { settingsFor } from '../../fakes/aws/settings.ts';

const AHEAD_MS = 3_600_000;
const CREDENTIALS = {
  accessKeyId: 'key',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  expiration: new Date(Date.now() + AHEAD_MS),
};
const SESSION = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
  <AccessKeyId>AKIDEXAMPLE</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>
</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;

/** Every service of AWS, an hour ahead of this machine. */
let server: Server;

function answer({ headers }: IncomingMessage, response: ServerResponse): void {
  const isJson = headers['x-amz-target'] !== undefined;
  response.setHeader('Date', new Date(Date.now() + AHEAD_MS).toUTCString());
  response.setHeader('Content-Type', isJson ? 'application/x-amz-json-1.1' : 'text/xml');
  response.end(isJson ? '{}' : SESSION);
}

beforeAll(async () => {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

type Clients = ReturnType<typeof openClients>;

it.for<readonly [string, (clients: Clients) => Promise<unknown>]>([
  [
    'Secrets Manager',
    (clients) => clients.secretsManager('us-east-1', CREDENTIALS).send(new GetSecretValueCommand({ SecretId: 'db' })),
  ],
  ['Parameter Store', (clients) => clients.ssm('us-east-1', CREDENTIALS).send(new GetParameterCommand({ Name: 'db' }))],
  [
    'STS',
    (clients) =>
      clients.assumeRoleWithWebIdentity(
        { region: 'us-east-1', limit: (call) => call() },
        { roleArn: 'arn:aws:iam::111122223333:role/web', sessionName: 'web', token: SecretBytes.fromText('token') },
        new AbortController().signal,
      ),
  ],
])('takes the time from a response of %s', async ([, call]) => {
  const clock = createServerClock(SYSTEM_CLOCK);
  using clients = openClients(settingsFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), clock);
  await call(clients);

  // A Date header has whole seconds, and the test itself takes some time.
  const aheadMs = clock.wallNow() - Date.now();
  expect(Math.abs(aheadMs - AHEAD_MS)).toBeLessThan(60_000);
});
