import { createCache } from '../../concurrency/cache.ts';
import type { Clock } from '../../concurrency/clock.ts';
import { type FailureReason, ProviderError } from '../../model/errors.ts';
import type { FetchedObject } from '../../model/fetched-object.ts';

/**
 * What is known of objects, by keys that contain identity, region, store, object and selector. Times are on the monotonic clock: `since` is the earliest time
 * at which the identity must have been able to read the object.
 */
export interface ObjectCache {
  /** The object, or why it could not be fetched a moment ago. */
  get(key: string, since: number): FetchedObject | ProviderError | undefined;
  /** The version last read. It is known for longer than the value, which may have been evicted. */
  version(key: string, since: number): Omit<FetchedObject, 'value'> | undefined;
  /** Whether the version is known, or that it could not be read. @param failedSince the earliest time of that failure */
  knows(key: string, since: number, failedSince?: number): boolean;
  /**
   * Stores an object, unless a later request has already returned another version; or a failure, which also removes what the identity may no longer read, or
   * what no longer exists.
   */
  put(key: string, fetched: FetchedObject | ProviderError): void;
}

/** An entry without value takes a few hundred bytes: some megabytes in total. */
const MAX_ENTRIES = 10_000;

/** Short, so that a user who has fixed a policy can retry at once. */
const REFUSAL_MS = 1_000;
/** Longer, because each request to a store that is down waits for a time-out. */
const OUTAGE_MS = 5_000;

/** AWS could not answer, instead of refusing: cached values stay valid. */
const OUTAGES: ReadonlySet<FailureReason> = new Set(['StoreUnavailable', 'Throttled', 'DeadlineExceeded', 'Cancelled']);

/** @param maxBytes for all values together; the least recently used are evicted first; 0 keeps versions only */
export function createObjectCache(clock: Clock, maxBytes: number): ObjectCache {
  const versions = createCache<Omit<FetchedObject, 'value'>>(clock, { maxEntries: MAX_ENTRIES });
  const values = createCache<FetchedObject>(clock, {
    maxEntries: MAX_ENTRIES,
    maxSize: Math.max(maxBytes, 1),
    sizeOf: ({ value }) => value.size,
  });
  const failures = createCache<{ readonly error: ProviderError; readonly at: number }>(clock, {
    maxEntries: MAX_ENTRIES,
  });

  function version(key: string, since: number) {
    const known = versions.get(key);
    return known !== undefined && known.confirmedAt >= since ? known : undefined;
  }

  function failure(key: string, since: number): ProviderError | undefined {
    const known = failures.get(key);
    return known !== undefined && known.at > since ? known.error : undefined;
  }

  function putFailure(key: string, error: ProviderError): void {
    const isOutage = OUTAGES.has(error.reason);
    if (!isOutage) {
      versions.delete(key);
      values.delete(key);
    }
    // A failure caused by the shutdown says nothing about the store.
    if (error.reason !== 'Cancelled') {
      failures.set(key, { error, at: clock.now() }, { ttl: isOutage ? OUTAGE_MS : REFUSAL_MS });
    }
  }

  function putObject(key: string, object: FetchedObject): void {
    const known = versions.get(key);
    if (known !== undefined && known.confirmedAt > object.confirmedAt && known.version !== object.version) {
      return;
    }
    versions.set(key, { version: object.version, confirmedAt: object.confirmedAt });
    if (object.value.size <= maxBytes) {
      values.set(key, object);
    } else {
      values.delete(key);
    }
  }

  return {
    get: (key, since) => (version(key, since) && values.get(key)) ?? failure(key, since),
    version,
    knows: (key, since, failedSince = since) =>
      version(key, since) !== undefined || failure(key, failedSince) !== undefined,
    put(key, fetched) {
      if (fetched instanceof ProviderError) {
        putFailure(key, fetched);
      } else {
        putObject(key, fetched);
      }
    },
  };
}
