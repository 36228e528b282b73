import { describe, expect, it, vi } from 'vitest';
import { createVirtualClock } from '../../../test/fakes/virtual-clock.ts';
import { whileThrottled } from './throttling.ts';

const NEVER = new AbortController().signal;

it('runs the work once if nothing is throttled', async () => {
  const work = vi.fn<() => Promise<boolean>>(() => Promise.resolve(false));
  await whileThrottled(work, createVirtualClock(), NEVER);

  expect(work).toHaveBeenCalledTimes(1);
});

it('repeats the work until it is no longer throttled', async () => {
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

it('ends after one try if the signal has already aborted', async () => {
  const work = vi.fn<() => Promise<boolean>>(() => Promise.resolve(true));
  await whileThrottled(work, createVirtualClock(), AbortSignal.abort());

  expect(work).toHaveBeenCalledTimes(1);
});

it('throws what the work throws', async () => {
  await expect(whileThrottled(() => Promise.reject(new Error('a bug')), createVirtualClock(), NEVER)).rejects.toThrow(
    'a bug',
  );
});

/** @returns the milliseconds before each further try, with these random numbers */
async function waitsBy(random: number, tries: number): Promise<readonly number[]> {
  vi.spyOn(Math, 'random').mockReturnValue(random);
  const clock = createVirtualClock();
  const triedAt: number[] = [];
  const working = whileThrottled(async () => triedAt.push(clock.now()) < tries, clock, NEVER);
  while (await clock.next()) {
    // Until nothing is waiting.
  }
  await working;
  return triedAt.slice(1).map((at, index) => at - triedAt[index]!);
}

describe('the waits', () => {
  it('double, to five seconds', async () => {
    expect(await waitsBy(1, 9)).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('are between half and all of that, so that nodes that were throttled together do not retry together', async () => {
    expect(await waitsBy(0, 4)).toEqual([100, 200, 400]);
    expect(await waitsBy(0.5, 4)).toEqual([150, 300, 600]);
  });
});
