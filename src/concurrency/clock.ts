import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** Time and timers. Passed as a dependency, so that tests can simulate hours in a moment. */
export interface Clock {
  /** Milliseconds on a monotonic clock. */
  now(): number;
  /** Milliseconds since 1970; jumps when the clock is set. */
  wallNow(): number;
  /** @param ms up to 24 days. @throws the signal's reason */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborts after this many milliseconds with a DOMException named TimeoutError. */
  timeout(ms: number): AbortSignal;
  /** Lets other work of the event loop run. */
  yield(): Promise<void>;
}

export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal && { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
  timeout: (ms) => AbortSignal.timeout(ms),
  yield: () => nextTurn(),
};
