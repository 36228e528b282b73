import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openKube } from '../../src/kube/client.ts';
import { createPodApi } from '../../src/kube/pods.ts';
import { ProviderError } from '../../src/model/errors.ts';
import { getObject } from '../../src/kube/get.ts';

/*
 * An attacker in place of the API server, or one who stored a huge object in it, responds without an end. The response is read up to a limit, and is then a failure that
 * says so: long before the memory of a container is used up, and without waiting for the deadline of the request.
 */

const NEVER = new AbortController().signal;
const CHUNK = Buffer.from('x'.repeat(2 ** 20));
/** The most that is sent: less than what would crash this test's own process. */
const MOST_MIB = 256;

describe('an endless response', () => {
  it.for<readonly [string, (kube: ReturnType<typeof openKube>) => Promise<unknown>]>([
    ['to a read', (kube) => getObject(kube, { resource: 'serviceaccounts', namespace: 'shop', name: 'web' })],
    ['to a list', (kube) => createPodApi(kube).listPods('node-1', NEVER)],
    [
      'to a write',
      (kube) => kube.ask({ verb: 'merge', resource: 'deployments', namespace: 'shop', name: 'web', body: {} }),
    ],
  ])('%s is aborted at a limit', async ([, ask]) => {
    await using server = await startEndless();
    using kube = openKube({ timeoutMs: 60_000 }, async () => ({ server: server.url, options: {} }));

    const error = await ask(kube).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(ProviderError);
    expect((error as ProviderError).message).toMatch(/its answer is longer than \d+ MiB/);
    expect(server.longestMiB()).toBeLessThan(MOST_MIB);
  });
});

async function startEndless() {
  let longest = 0;
  async function pour(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{"metadata":{"name":"');
    for (let sent = 1; sent <= MOST_MIB && !response.destroyed; sent += 1) {
      longest = Math.max(longest, sent);
      await new Promise((written) => response.write(CHUNK, written));
    }
    response.end('"}}');
  }
  const server = createServer((_request, response) => void pour(response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    longestMiB: () => longest,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await Promise.resolve();
    },
  };
}
