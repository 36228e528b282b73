import { setTimeout as delay } from 'node:timers/promises';
import { type Clock, SYSTEM_CLOCK } from '../../src/concurrency/clock.ts';
import { createVirtualClock } from './virtual-clock.ts';

/** A clock that runs about twenty times as fast as time does, and stands still while a request is in progress: so a busy machine makes nothing late. */
export interface FastClock extends Clock, Disposable {
  /** Starts it. @param isBusy whether a request is under way that something other than this clock will end */
  run(isBusy: () => boolean): void;
}

const STEP_MS = 100;
const TICK_MS = 5;

export function createFastClock(): FastClock {
  const clock = createVirtualClock(Date.now());
  const stopped = new AbortController();

  async function run(isBusy: () => boolean): Promise<void> {
    while (!stopped.signal.aborted) {
      await delay(TICK_MS);
      if (!isBusy()) {
        await clock.advance(STEP_MS);
      }
    }
  }

  return {
    ...clock,
    yield: SYSTEM_CLOCK.yield,
    run: (isBusy) => void run(isBusy),
    [Symbol.dispose]: () => stopped.abort(),
  };
}
