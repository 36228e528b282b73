import { retryWaitMs } from '../../concurrency/retry-wait.ts';
import type { Clock } from '../../concurrency/clock.ts';

const WAITS = { firstMs: 200, longestMs: 5_000 };

/**
 * Repeats work while AWS throttles it, until the signal aborts: a pod that starts can wait longer than the SDK's few attempts take.
 * @param work returns whether it was throttled
 */
export async function whileThrottled(work: () => Promise<boolean>, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let retries = 0; await work(); retries += 1) {
    try {
      await clock.sleep(retryWaitMs(retries, WAITS), signal);
    } catch {
      return;
    }
  }
}
