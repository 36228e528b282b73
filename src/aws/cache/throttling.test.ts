import { expect, it, vi } from 'vitest';
import { createVirtualClock } from '../../../test/fakes/virtual-clock.ts';
import { whileThrottled } from './throttling.ts';

const NEVER = new AbortController().signal;

it('works once where nothing is throttled', async () => {
  const work = vi.fn<() => Promise<boolean>>(() => Promise.resolve(false));
  await whileThrottled(work, createVirtualClock(), NEVER);

  expect(work).toHaveBeenCalledTimes(1);
});

it('works again until nothing is throttled any more', async () => {
  let left = 2;
  const work = vi.fn<() => Promise<boolean>>(() => Promise.resolve((left -= 1) > 0));
  const clock = createVirtualClock();
  const working = whileThrottled(work, clock, NEVER);
  await clock.advance(10_000);
  await working;

  expect(work).toHaveBeenCalledTimes(2);
});

it('ends with the signal, in the middle of a wait', async () => {
  const cancelling = new AbortController();
  const work = vi.fn<() => Promise<boolean>>(() => Promise.resolve(true));
  const working = whileThrottled(work, createVirtualClock(), cancelling.signal);

  cancelling.abort(new Error('enough'));
  await working;

  expect(work).toHaveBeenCalledTimes(1);
});

it('ends after one try where the signal has ended already', async () => {
  const work = vi.fn<() => Promise<boolean>>(() => Promise.resolve(true));
  await whileThrottled(work, createVirtualClock(), AbortSignal.abort());

  expect(work).toHaveBeenCalledTimes(1);
});

it('passes on what the work throws', async () => {
  await expect(whileThrottled(() => Promise.reject(new Error('a bug')), createVirtualClock(), NEVER)).rejects.toThrow(
    'a bug',
  );
});
