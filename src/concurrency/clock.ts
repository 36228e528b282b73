import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';

/** Time, and every way to wait for it. It is passed in, so that a test lets hours go by in a moment. */
export interface Clock {
  /** Milliseconds on a clock that never jumps. */
  now(): number;
  /** Milliseconds since 1970; it jumps when it is set. */
  wallNow(): number;
  /** @param ms up to 24 days. @throws the signal's reason */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborts after so many milliseconds, by a DOMException named TimeoutError. */
  timeout(ms: number): AbortSignal;
  /** Lets run what else is ready; for long work. */
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
