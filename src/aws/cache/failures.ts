import type { Clock } from '../../concurrency/clock.ts';
import type { ProviderError } from '../../model/errors.ts';

/** Failures of a moment ago, so that all the pods of a node do not ask again at once. */
export interface Failures {
  /** @param longestMs for which any answer is good */
  get(key: string, longestMs: number): ProviderError | undefined;
  put(key: string, error: ProviderError): void;
}

/** Who mends a policy and tries again should not have to wait. */
const GOOD_FOR_MS = 1_000;
/** Each question to a store that is down costs whole time-outs. */
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
      // How a process ends says nothing of the store.
      if (error.reason !== 'Cancelled') {
        failures.set(key, { error, at: clock.now() });
      }
    },
  };
}

/** AWS did not say no, it said nothing of use: what was read before may still be good. */
export function isOutage({ reason }: ProviderError): boolean {
  return (
    reason === 'StoreUnavailable' || reason === 'Throttled' || reason === 'DeadlineExceeded' || reason === 'Cancelled'
  );
}
