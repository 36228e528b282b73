import type { Clock } from '../../concurrency/clock.ts';
const FIRST_MS = 200;
const LONGEST_MS = 5_000;

/**
 * Works again while AWS throttles, until the signal's end: a pod that starts has more time than the SDK's few tries take. The waits grow
 * and are drawn by lot, so that nodes that were throttled together do not come back together.
 * @param work whether it was throttled
 */
export async function whileThrottled(work: () => Promise<boolean>, clock: Clock, signal: AbortSignal): Promise<void> {
  let longest = FIRST_MS;
  while (await work()) {
    try {
      await clock.sleep(longest * (0.5 + Math.random() / 2), signal);
    } catch {
      return;
    }
    longest = Math.min(longest * 2, LONGEST_MS);
  }
}
