import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ApiServer, startApiServer } from '../fakes/kube/api-server.ts';
import { type AttackedProcess, startProcess } from './node/attacked-process.ts';

const SOON = { timeout: 60_000 };

let api: ApiServer;
let folder: string;
beforeAll(async () => {
  api = await startApiServer();
  api.fault = { kind: 'hang' };
  folder = await mkdtemp(join(tmpdir(), 'hung-start-'));
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function start(): Promise<AttackedProcess> {
  return await startProcess({
    args: [
      `--provider-volume=${folder}`,
      `--kubeconfig=${api.kubeconfig}`,
      // Far longer than the test waits.
      '--kube-timeout=1h',
      '--health-address=127.0.0.1:0',
      '--node-name=node-1',
      '--enable-secret-rotation',
      '--sync-secret',
    ],
    waits: false,
  });
}

it.for<readonly [string, string, () => boolean]>([
  ['while it starts', 'starting', () => true],
  ['while it waits for the list of pods', 'ready', () => api.underWay.size > 0],
])('SIGTERM ends a process whose API server never answers with 0: %s', async ([, word, isThere]) => {
  await using provider = await start();
  await expect.poll(() => provider.log.join(), SOON).toContain(`"msg":"${word}"`);
  await expect.poll(isThere, SOON).toBe(true);

  void provider.stop('SIGTERM');

  await expect.poll(() => provider.ended(), SOON).toBe('0');
});
