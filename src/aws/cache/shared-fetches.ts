import type { Clock } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../../model/fetched-object.ts';
import type { Store } from '../../model/mount-spec.ts';
import { failureOf } from '../errors/aws-error.ts';
import type { StoreCall, StoreRequest } from '../model/store.ts';
import type { ObjectCache } from './object-cache.ts';
import { whileThrottled } from './throttling.ts';

/** Calls the stores of one region with the permissions of one identity. */
export interface StoreClient {
  /** Key of identity and region. */
  readonly key: string;
  /** Whether to retry what AWS throttles. */
  readonly retriesThrottled: boolean;
  /** Fetches objects from one store. @throws ProviderError if all requests fail for one reason, such as missing credentials */
  fetch(store: Store, requests: readonly StoreRequest[], call: StoreCall): Promise<FetchedObjects>;
}

/** Requests by cache key. */
export type Requests = ReadonlyMap<string, StoreRequest>;

type Results = ReadonlyMap<string, FetchedObject | ProviderError>;

/** Fetches objects into the cache, with one call in flight per key. */
export interface SharedFetches {
  /** Does not throw. A failure is the result of each key that it concerns. */
  fetch(requests: Requests, client: StoreClient): Promise<Results>;
  /** Waits for the calls in flight for these keys. */
  settled(keys: Iterable<string>): Promise<void>;
}

export interface SharedFetchesDeps {
  readonly clock: Clock;
  readonly cache: ObjectCache;
  deadline(): AbortSignal;
}

export function createSharedFetches({ clock, cache, deadline }: SharedFetchesDeps): SharedFetches {
  const inFlight = new Map<string, Promise<Results>>();

  async function fetchFrom(store: Store, requests: Requests, client: StoreClient): Promise<Results> {
    const call = { askedAt: clock.now(), signal: deadline() };
    function ask(some: readonly StoreRequest[]): Promise<FetchedObjects> {
      return settledObjects(client.fetch(store, some, call), some, call.signal);
    }
    const all = [...requests.values()];
    const objects = client.retriesThrottled ? await askUntilUnthrottled(ask, all, clock, call.signal) : await ask(all);
    const results = new Map<string, FetchedObject | ProviderError>();
    for (const [key, { object }] of requests) {
      const fetched = objects.get(object);
      if (fetched !== undefined) {
        cache.put(key, fetched);
        results.set(key, fetched);
      }
    }
    return results;
  }

  function callsFor(keys: Iterable<string>): ReadonlySet<Promise<Results>> {
    return new Set(Array.from(keys, (key) => inFlight.get(key)).filter((call) => call !== undefined));
  }

  return {
    async fetch(requests, client) {
      const idle = [...requests].filter(([key]) => !inFlight.has(key));
      // From each store separately, so that a slow or throttling store does not delay requests that need only the other one.
      for (const [store, some] of Map.groupBy(idle, ([, { object }]) => object.store)) {
        const call = fetchFrom(store, new Map(some), client).finally(() => {
          for (const [key] of some) {
            inFlight.delete(key);
          }
        });
        for (const [key] of some) {
          inFlight.set(key, call);
        }
      }
      const results = await Promise.all(callsFor(requests.keys()));
      return new Map(results.flatMap((some) => [...some]));
    },
    async settled(keys) {
      await Promise.all(callsFor(keys));
    },
  };
}

/** An error that concerns all requests becomes that of each. */
async function settledObjects(
  fetching: Promise<FetchedObjects>,
  requests: readonly StoreRequest[],
  signal: AbortSignal,
): Promise<FetchedObjects> {
  try {
    return await fetching;
  } catch (error) {
    const failure = failureOf(error, signal);
    return new Map(requests.map(({ object }) => [object, failure]));
  }
}

/** Repeats throttled requests until the signal aborts. */
async function askUntilUnthrottled(
  ask: (requests: readonly StoreRequest[]) => Promise<FetchedObjects>,
  requests: readonly StoreRequest[],
  clock: Clock,
  signal: AbortSignal,
): Promise<FetchedObjects> {
  let objects: FetchedObjects = new Map();
  async function askAgain(): Promise<boolean> {
    const open = requests.filter(({ object }) => !objects.has(object) || isThrottled(objects.get(object)));
    const latest = await ask(open);
    // After the deadline, the throttling error tells more than the time-out that follows it.
    objects = signal.aborted ? new Map([...latest, ...objects]) : new Map([...objects, ...latest]);
    return [...latest.values()].some(isThrottled);
  }
  await whileThrottled(askAgain, clock, signal);
  return objects;
}

function isThrottled(fetched: FetchedObject | ProviderError | undefined): boolean {
  return fetched instanceof ProviderError && fetched.reason === 'Throttled';
}
