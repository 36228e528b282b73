import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { settingsFor } from '../../../test/fakes/aws/settings.ts';
import { createHastyClock } from '../../../test/fakes/virtual-clock.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { credentialsFromAgent } from './pod-identity.ts';

const NEVER = new AbortController().signal;
const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' } as const;

/** @returns how it ended, if an agent on loopback responds to each request like this */
async function askAgent(status: number, maxAttempts: number) {
  let asked = 0;
  const clock = createHastyClock();
  const server = createServer((_request, response) => {
    asked += 1;
    response.writeHead(status).end('busy');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const ipv4 = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const failure = await credentialsFromAgent(
    { kind: 'pod-identity', pod: POD },
    SecretBytes.fromText('token'),
    {
      addressType: 'ipv4',
      limit: (call) => call(),
      clock,
      settings: settingsFor('http://127.0.0.1:1', {
        maxAttempts,
        podIdentity: { ipv4, ipv6: 'http://[::1]:1', timeoutMs: 5_000 },
      }),
    },
    NEVER,
  ).catch((error: unknown) => error);
  return { failure, asked, waits: clock.slept };
}

it.for([
  [429, 'Throttled'],
  [503, 'StoreUnavailable'],
] as const)('pauses before it retries an agent that responds with %i, longer each time', async ([status, reason]) => {
  vi.spyOn(Math, 'random').mockReturnValue(1);

  expect(await askAgent(status, 4)).toMatchObject({ failure: { reason }, asked: 4, waits: [400, 800, 1_600] });
});

it('pauses for a different time on each node', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0.25);

  expect(await askAgent(503, 3)).toMatchObject({ waits: [100, 200] });
});

it('does not retry a refusal of the agent', async () => {
  expect(await askAgent(404, 4)).toMatchObject({ failure: { reason: 'CredentialsRefused' }, asked: 1, waits: [] });
});
