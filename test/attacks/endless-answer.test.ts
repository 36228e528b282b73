import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { openKube } from '../../src/kube/client.ts';
import { createPodApi } from '../../src/kube/pods.ts';
import { ProviderError } from '../../src/model/errors.ts';

/*
 * Whoever stands in for the API server, or has got it to hold something huge, answers without an end. That is read to a bound, and is then a failure that
 * says so: long before the memory of a container has gone, and without waiting for the request's time to be over.
 */

const NEVER = new AbortController().signal;
const CHUNK = Buffer.from('x'.repeat(2 ** 20));
/** What is ever sent: less than what would take this test's own process down. */
const MOST_MIB = 256;

describe('an answer without an end', () => {
  it.for<readonly [string, (kube: ReturnType<typeof openKube>) => Promise<unknown>]>([
    ['to a read', (kube) => kube.get({ resource: 'serviceaccounts', namespace: 'shop', name: 'web' })],
    ['to a list', (kube) => createPodApi(kube).listPods('node-1', NEVER)],
    [
      'to a write',
      (kube) => kube.ask({ verb: 'merge', resource: 'deployments', namespace: 'shop', name: 'web', body: {} }),
    ],
  ])('%s is given up at a bound', async ([, ask]) => {
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
