import type { Clock } from '../../concurrency/clock.ts';
const FIRST_MS = 200;
const LONGEST_MS = 5_000;

/**
 * Repeats work while AWS throttles it, until the signal aborts: a pod that starts can wait longer than the SDK's few attempts take. The waits grow and have
 * random jitter, so that nodes that were throttled together do not retry together.
 * @param work returns whether it was throttled
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
