import type { Clock } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import type { FetchOutcome } from '../../mount/mount.ts';
import type { Store } from '../../model/mount-spec.ts';
import { unlessAborted } from '../../concurrency/cancellation.ts';
import { abortError } from '../errors/aws-error.ts';
import { createFailures, isOutage } from './failures.ts';
import type { Outcomes } from '../stores/failover.ts';
import { createSingleFlight } from './single-flight.ts';
import type { Dated, ValueCache } from './value-cache.ts';
import type { Answer, Answers, Found, StoreRequest } from '../model/store.ts';
import { isPinned, sourceKey } from './source-key.ts';
import { whileThrottled } from './throttling.ts';

/** Calls the stores of one region with the permissions of one identity. */
export interface StoreClient {
  /** Key of identity and region. */
  readonly key: string;
  readonly region: string;
  /** Fetches values and their versions from one store. @throws ProviderError if all requests fail for one reason, such as missing credentials */
  fetch(store: Store, requests: readonly StoreRequest[], signal: AbortSignal): Promise<Answers>;
}

/** Returns cached values up to a maximum age. Concurrent requests for the same value share one call to AWS. */
export interface CachedStore {
  /** @returns a value or an error for each request, by object */
  read(
    requests: readonly StoreRequest[],
    client: StoreClient,
    intervalMs: number,
    signal: AbortSignal,
  ): Promise<Outcomes>;
  /**
   * Checks that all objects still have the given versions. Values older than the interval are read, not described: a role that may describe a secret may
   * have lost the permission to read it.
   * @returns when AWS confirmed the oldest of them, or now if all versions are pinned; undefined if a version differs or is unknown
   */
  confirmVersions(
    expected: ReadonlyMap<StoreRequest, string>,
    client: StoreClient,
    intervalMs: number,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /** Fetches the current values into the cache, so that `read` and `confirmVersions` need no call after it. Throws only the signal's reason. */
  refresh(requests: readonly StoreRequest[], client: StoreClient, signal: AbortSignal): Promise<void>;
}

export interface CachedStoreSettings {
  readonly clock: Clock;
  /** Longest time for one fetch from a store, in milliseconds, including all retries. */
  readonly deadlineMs: number;
  /** Aborts when the process ends. */
  readonly closing: AbortSignal;
}

type DatedAnswer = Dated<Found> | ProviderError;

interface FetchOptions {
  /** Whether to retry what AWS throttles. A Mount call does, as a pod waits for it. A poll does not: it would add to the load, and is repeated anyway. */
  readonly retryThrottled: boolean;
}

export function createCachedStore(cache: ValueCache, { clock, deadlineMs, closing }: CachedStoreSettings): CachedStore {
  const failures = createFailures(clock);
  const fetches = createSingleFlight<DatedAnswer>();

  /** The signal of a fetch. It does not depend on the signal of one caller, because others may wait for the same fetch. */
  function fetchSignal(): AbortSignal {
    return AbortSignal.any([closing, clock.timeout(deadlineMs)]);
  }

  function record(key: string, answer: DatedAnswer): void {
    if (!(answer instanceof ProviderError)) {
      cache.put(key, answer);
      return;
    }
    failures.put(key, answer);
    if (!isOutage(answer)) {
      cache.forget(key);
    }
  }

  async function fetch(
    store: Store,
    requests: ReadonlyMap<string, StoreRequest>,
    client: StoreClient,
    { retryThrottled }: FetchOptions,
  ): Promise<ReadonlyMap<string, DatedAnswer>> {
    const confirmedAt = clock.now();
    const asked = [...requests.values()];
    const answers = retryThrottled
      ? await askWithRetries(store, asked, client, { clock, signal: fetchSignal() })
      : await ask(store, asked, client, fetchSignal());
    const byKey = new Map<string, DatedAnswer>();
    for (const [key, request] of requests) {
      const answer = answers.get(request) ?? unanswered(request);
      const dated = answer instanceof ProviderError ? answer : { ...answer, confirmedAt };
      byKey.set(key, dated);
      record(key, dated);
    }
    return byKey;
  }

  /** Fetches from each store separately, so that a slow or throttling store does not delay requests that need only the other one. */
  async function fetchAll(
    requests: ReadonlyMap<string, StoreRequest>,
    client: StoreClient,
    { retryThrottled }: FetchOptions,
  ): Promise<ReadonlyMap<string, DatedAnswer>> {
    const byStore = Map.groupBy(requests, ([, { object }]) => object.store);
    const answers = await Promise.all(
      Array.from(byStore, ([store, some]) =>
        fetches.join(new Map(some), (unasked) => fetch(store, unasked, client, { retryThrottled })),
      ),
    );
    return new Map(answers.flatMap((some) => [...some]));
  }

  /**
   * Fetches what is not in the cache with this age or newer, and has not failed a moment ago. Pinned versions are fetched again too: only a read shows that
   * the identity may no longer read them.
   */
  async function renew(
    requests: ReadonlyMap<string, StoreRequest>,
    client: StoreClient,
    {
      notBefore,
      intervalMs,
      retryThrottled,
    }: FetchOptions & { readonly notBefore: number; readonly intervalMs: number },
  ): Promise<void> {
    const open = [...requests].filter(
      ([key]) => cache.version(key, notBefore) === undefined && failures.get(key, intervalMs) === undefined,
    );
    await fetchAll(new Map(open), client, { retryThrottled });
  }

  return {
    async read(requests, client, intervalMs, signal) {
      const notBefore = clock.now() - intervalMs;
      const known = new Map<string, DatedAnswer>();
      const unknown = new Map<string, StoreRequest>();
      for (const [key, request] of byKeyOf(requests, client)) {
        const answer = cache.found(key, notBefore) ?? failures.get(key, intervalMs);
        if (answer === undefined) {
          unknown.set(key, request);
        } else {
          known.set(key, answer);
        }
      }
      const fetched = await unlessAborted(fetchAll(unknown, client, { retryThrottled: true }), signal);
      return new Map(
        requests.map((request) => {
          const key = keyOf(request, client);
          return [
            request.object,
            outcomeOf(request, known.get(key) ?? fetched.get(key) ?? unanswered(request), client, clock),
          ];
        }),
      );
    },
    async confirmVersions(expected, client, intervalMs, signal) {
      const notBefore = clock.now() - intervalMs;
      await unlessAborted(
        renew(byKeyOf(expected.keys(), client), client, { notBefore, intervalMs, retryThrottled: true }),
        signal,
      );
      let confirmedAt = clock.now();
      for (const [request, version] of expected) {
        const known = cache.version(keyOf(request, client), notBefore);
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
      await unlessAborted(
        renew(byKey, client, { notBefore: begun, intervalMs: Infinity, retryThrottled: false }),
        signal,
      );
    },
  };
}

/** Repeats throttled requests until the signal aborts. */
async function askWithRetries(
  store: Store,
  requests: readonly StoreRequest[],
  client: StoreClient,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Answers> {
  const answers = new Map<StoreRequest, Answer>();
  await whileThrottled(
    async () => {
      const open = requests.filter((request) => !answers.has(request) || isThrottled(answers.get(request)));
      const latest = await ask(store, open, client, signal);
      for (const [request, answer] of latest) {
        // The throttling error tells more than the time-out that follows it.
        if (!(signal.aborted && isThrottled(answers.get(request)))) {
          answers.set(request, answer);
        }
      }
      return [...latest.values()].some(isThrottled);
    },
    clock,
    signal,
  );
  return answers;
}

async function ask(
  store: Store,
  requests: readonly StoreRequest[],
  client: StoreClient,
  signal: AbortSignal,
): Promise<Answers> {
  try {
    return await client.fetch(store, requests, signal);
  } catch (error) {
    const failure = failureOf(error, signal);
    return new Map(requests.map((request) => [request, failure]));
  }
}

function failureOf(error: unknown, signal: AbortSignal): ProviderError {
  return signal.aborted ? abortError(signal) : ProviderError.from(error);
}

function isThrottled(answer: Answer | undefined): boolean {
  return answer instanceof ProviderError && answer.reason === 'Throttled';
}

function keyOf({ object, source }: StoreRequest, { key }: StoreClient): string {
  return `${key} ${sourceKey(object.store, source)}`;
}

function byKeyOf(requests: Iterable<StoreRequest>, client: StoreClient): ReadonlyMap<string, StoreRequest> {
  return new Map(Array.from(requests, (request) => [keyOf(request, client), request] as const));
}

function outcomeOf(request: StoreRequest, answer: DatedAnswer, { region }: StoreClient, clock: Clock): FetchOutcome {
  const { object } = request;
  return answer instanceof ProviderError
    ? answer
    : { object, region, ...answer, ...(isPinned(request) && { confirmedAt: clock.now() }) };
}

function unanswered({ object }: StoreRequest): ProviderError {
  return new ProviderError('Internal', `no answer for object "${object.name}"`, { object: object.name });
}
