import type { Clock } from '../../concurrency/clock.ts';
import type { ProviderError } from '../../model/errors.ts';

/** Caches recent failures, so that the pods of a node do not all repeat a failing request at once. */
export interface Failures {
  /** @param longestMs maximum age */
  get(key: string, longestMs: number): ProviderError | undefined;
  put(key: string, error: ProviderError): void;
}

/** Short, so that a user who has fixed a policy can retry at once. */
const GOOD_FOR_MS = 1_000;
/** Longer, because each request to a store that is down waits for a time-out. */
const OUTAGE_GOOD_FOR_MS = 5_000;

export function createFailures(clock: Clock): Failures {
  const failures = new Map<string, { readonly error: ProviderError; readonly at: number }>();

  function dropOld(): void {
    for (const [key, { at }] of failures) {
      if (at + OUTAGE_GOOD_FOR_MS <= clock.now()) {
        failures.delete(key);
      }
    }
  }

  return {
    get(key, longestMs) {
      const failure = failures.get(key);
      if (failure === undefined) {
        return undefined;
      }
      const goodForMs = Math.min(longestMs, isOutage(failure.error) ? OUTAGE_GOOD_FOR_MS : GOOD_FOR_MS);
      return clock.now() - failure.at < goodForMs ? failure.error : undefined;
    },
    put(key, error) {
      dropOld();
      // A failure caused by the shutdown says nothing about the store.
      if (error.reason !== 'Cancelled') {
        failures.set(key, { error, at: clock.now() });
      }
    },
  };
}

/** Whether AWS could not answer, instead of refusing: cached values stay valid then. */
export function isOutage({ reason }: ProviderError): boolean {
  return (
    reason === 'StoreUnavailable' || reason === 'Throttled' || reason === 'DeadlineExceeded' || reason === 'Cancelled'
  );
}
