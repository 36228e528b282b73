import { unlessAborted } from '../../concurrency/cancellation.ts';
import type { Clock } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../../model/fetched-object.ts';
import type { StoreRequest } from '../model/store.ts';
import { createObjectCache } from './object-cache.ts';
import { createSharedFetches, type Requests, type StoreClient } from './shared-fetches.ts';
import { isPinned, sourceKey } from './source-key.ts';

/** Returns cached values up to a maximum age. Concurrent requests for the same value share one call to AWS. */
export interface CachedStore {
  read(
    requests: readonly StoreRequest[],
    client: StoreClient,
    maxAgeMs: number,
    signal: AbortSignal,
  ): Promise<FetchedObjects>;
  /**
   * Checks that all objects still have the given versions. Values older than the maximum age are read, not described: a role that may describe a secret may
   * have lost the permission to read it. So pinned versions are read, too.
   * @returns when AWS confirmed the oldest of them, or now if all versions are pinned; undefined if a version differs or is unknown
   */
  confirmVersions(
    expected: ReadonlyMap<StoreRequest, string>,
    client: StoreClient,
    maxAgeMs: number,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /** Fetches the current values into the cache, so that `read` and `confirmVersions` need no call after it. Throws only the signal's reason. */
  refresh(requests: readonly StoreRequest[], client: StoreClient, signal: AbortSignal): Promise<void>;
}

export interface CachedStoreSettings {
  readonly clock: Clock;
  /** Bytes of values to cache; 0 caches versions only. */
  readonly maxBytes: number;
  /** The deadline of a fetch, including all retries. It does not end with the caller that started it, because others may wait for the same fetch. */
  deadline(): AbortSignal;
}

export function createCachedStore({ clock, maxBytes, deadline }: CachedStoreSettings): CachedStore {
  const cache = createObjectCache(clock, maxBytes);
  const fetches = createSharedFetches({ clock, cache, deadline });

  return {
    async read(requests, client, maxAgeMs, signal) {
      const since = clock.now() - maxAgeMs;
      const byKey = byKeyOf(requests, client);
      const cached = new Map(Array.from(byKey.keys(), (key) => [key, cache.get(key, since)]));
      const unknown = new Map([...byKey].filter(([key]) => cached.get(key) === undefined));
      const fetched = await unlessAborted(fetches.fetch(unknown, client), signal);
      return new Map(
        requests.map((request) => {
          const key = keyOf(request, client);
          return [request.object, resultOf(request, cached.get(key) ?? fetched.get(key), clock)];
        }),
      );
    },
    async confirmVersions(expected, client, maxAgeMs, signal) {
      const since = clock.now() - maxAgeMs;
      const byKey = byKeyOf(expected.keys(), client);
      const unknown = new Map([...byKey].filter(([key]) => !cache.knows(key, since)));
      await unlessAborted(fetches.fetch(unknown, client), signal);
      let confirmedAt = clock.now();
      for (const [request, version] of expected) {
        const known = cache.version(keyOf(request, client), since);
        if (known?.version !== version) {
          return undefined;
        }
        confirmedAt = isPinned(request) ? confirmedAt : Math.min(confirmedAt, known.confirmedAt);
      }
      return confirmedAt;
    },
    async refresh(requests, client, signal) {
      const begun = clock.now();
      const byKey = byKeyOf(requests, client);
      // A fetch that is already in flight may return values from before this refresh.
      await unlessAborted(fetches.settled(byKey.keys()), signal);
      const unknown = new Map([...byKey].filter(([key]) => !cache.knows(key, begun, -Infinity)));
      await unlessAborted(fetches.fetch(unknown, client), signal);
    },
  };
}

function keyOf({ object, source }: StoreRequest, { key }: StoreClient): string {
  return `${key} ${sourceKey(object.store, source)}`;
}

function byKeyOf(requests: Iterable<StoreRequest>, client: StoreClient): Requests {
  return new Map(Array.from(requests, (request) => [keyOf(request, client), request] as const));
}

/** A pinned version never changes, so it is current whenever it was read. */
function resultOf(
  request: StoreRequest,
  result: FetchedObject | ProviderError | undefined,
  clock: Clock,
): FetchedObject | ProviderError {
  if (result === undefined) {
    const { name } = request.object;
    return new ProviderError('Internal', `no answer for object "${name}"`, { object: name });
  }
  return result instanceof ProviderError || !isPinned(request) ? result : { ...result, confirmedAt: clock.now() };
}
