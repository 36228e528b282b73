import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, it, vi } from 'vitest';
import { settingsFor } from '../../../test/fakes/aws/settings.ts';
import { createHastyClock } from '../../../test/fakes/virtual-clock.ts';
import { receiveEvents } from './receive.ts';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

/** @returns the waits after a queue's first responses, which have these statuses */
async function waitsAfter(...statuses: readonly number[]): Promise<readonly number[]> {
  const left = [...statuses];
  const clock = createHastyClock();
  const server = createServer((_request, response) => {
    response.writeHead(left.shift() ?? 500, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const listener = receiveEvents({
    queueUrl: 'https://sqs.us-east-1.amazonaws.com/111122223333/changes',
    settings: settingsFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { maxAttempts: 1 }),
    clock,
    onEvents: () => undefined,
    onTrouble: () => undefined,
    onRecovery: () => undefined,
  });
  await expect.poll(() => clock.slept.length).toBeGreaterThanOrEqual(statuses.length);
  await listener[Symbol.asyncDispose]();
  server.close();
  server.closeAllConnections();
  return clock.slept.slice(0, statuses.length);
}

it('doubles the wait after each failure, up to a minute, and resets it after a response', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(1);

  expect(await waitsAfter(500, 500, 500, 500, 500, 500, 500, 500, 200, 500, 500)).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 2_000, 1_000, 2_000,
  ]);
});

it('waits between half and all of that, so that the nodes do not retry together', async () => {
  vi.spyOn(Math, 'random').mockReturnValue(0);

  expect(await waitsAfter(500, 500, 500)).toEqual([500, 1_000, 2_000]);
});
