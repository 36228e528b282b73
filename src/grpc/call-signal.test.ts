import { EventEmitter } from 'node:events';
import type { ServerUnaryCall } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { ProviderError } from '../model/errors.ts';
import { callSignal } from './call-signal.ts';

const MOUNT_TIMEOUT_MS = 60_000;

/** A call whose driver gives up after this time, and its limits. */
function startCall(driverMs: number) {
  const clock = createVirtualClock();
  const deadline = clock.wallNow() + driverMs;
  const call = Object.assign(new EventEmitter(), { getDeadline: () => deadline });
  const stopping = new AbortController();
  const bounds = { clock, stopping: stopping.signal, mountTimeoutMs: MOUNT_TIMEOUT_MS };
  const bounded = callSignal(call as unknown as ServerUnaryCall<unknown, unknown>, bounds);
  return { bounded, signal: bounded.signal, call, clock, stopping };
}

it.for([
  ["the driver's deadline, which is sooner than ours", 5_000, 5_000],
  ['ours, where the driver would wait for longer', 600_000, MOUNT_TIMEOUT_MS],
  ['ours, where the driver names none', Number.POSITIVE_INFINITY, MOUNT_TIMEOUT_MS],
] as const)('ends with %s', async ([, driverMs, ms]) => {
  const { signal, clock } = startCall(driverMs);

  await clock.advance(ms - 1);
  expect(signal.aborted).toBe(false);
  await clock.advance(1);
  expect(signal.reason).toMatchObject({
    reason: 'DeadlineExceeded',
    message: expect.stringContaining(`not done within ${ms / 1_000} s`),
  });
});

it('ends at once if the deadline has already passed', async () => {
  const { signal, clock } = startCall(-1_000);

  await clock.advance(0);

  expect(signal.reason).toMatchObject({ reason: 'DeadlineExceeded' });
});

it('ends when the driver cancels the call, or the process stops', () => {
  const one = startCall(5_000);
  const other = startCall(5_000);

  one.call.emit('cancelled');
  other.stopping.abort(new ProviderError('Cancelled', 'the provider is stopping'));

  expect(one.signal.reason).toMatchObject({ reason: 'Cancelled', message: 'the driver ended the call' });
  expect(other.signal.reason).toMatchObject({ reason: 'Cancelled', message: 'the provider is stopping' });
});

it('leaves no timer running', async () => {
  const { bounded, clock } = startCall(5_000);
  expect(clock.waiting).toBe(1);

  bounded[Symbol.dispose]();

  await clock.advance(0);
  expect(clock.waiting).toBe(0);
});
