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

/** Asks the stores of one region as one identity. */
export interface StoreClient {
  /** Key of identity and region. */
  readonly key: string;
  readonly region: string;
  /** Values with their versions, of one store. @throws ProviderError for what fails every request alike, e.g. no credentials */
  fetch(store: Store, requests: readonly StoreRequest[], signal: AbortSignal): Promise<Answers>;
}

/** Answers from memory within an interval, the greatest age of an answer; past it, one question serves all who ask the same. */
export interface CachedStore {
  /** What each request comes to, by its object. */
  read(
    requests: readonly StoreRequest[],
    client: StoreClient,
    intervalMs: number,
    signal: AbortSignal,
  ): Promise<Outcomes>;
  /**
   * The time as of which all are at the versions given for them: now, where none of them can change. What was not read within the interval is
   * read: a role that may describe a secret may have lost the right to read it.
   * @returns nothing where one is not, or where nobody can tell
   */
  confirmVersions(
    expected: ReadonlyMap<StoreRequest, string>,
    client: StoreClient,
    intervalMs: number,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /** Has the memory hold what the stores say now, so that reading and checking cost nothing after it. Throws for the signal only. */
  refresh(requests: readonly StoreRequest[], client: StoreClient, signal: AbortSignal): Promise<void>;
}

export interface CachedStoreSettings {
  readonly clock: Clock;
  /** Longest time for one question to the stores, whoever waits for it. */
  readonly deadlineMs: number;
  /** Aborts when the process ends. */
  readonly closing: AbortSignal;
}

type DatedAnswer = Dated<Found> | ProviderError;

/** What AWS throttles is asked for again while a pod waits for it. Who looks again by himself adds nothing to what AWS has too much of. */
type Patience = 'persists' | 'asks once';

export function createCachedStore(
  memory: ValueCache,
  { clock, deadlineMs, closing }: CachedStoreSettings,
): CachedStore {
  const failures = createFailures(clock);
  const fetches = createSingleFlight<DatedAnswer>();

  /** A question's own end: that of one who waits is not that of the others. */
  function bounded(): AbortSignal {
    return AbortSignal.any([closing, clock.timeout(deadlineMs)]);
  }

  function learn(key: string, answer: DatedAnswer): void {
    if (!(answer instanceof ProviderError)) {
      memory.put(key, answer);
      return;
    }
    failures.put(key, answer);
    if (!isOutage(answer)) {
      memory.forget(key);
    }
  }

  async function fetch(
    store: Store,
    requests: ReadonlyMap<string, StoreRequest>,
    client: StoreClient,
    patience: Patience,
  ): Promise<ReadonlyMap<string, DatedAnswer>> {
    const confirmedAt = clock.now();
    const asked = [...requests.values()];
    const answers =
      patience === 'persists'
        ? await askPersistently(store, asked, client, { clock, signal: bounded() })
        : await ask(store, asked, client, bounded());
    const byKey = new Map<string, DatedAnswer>();
    for (const [key, request] of requests) {
      const answer = answers.get(request) ?? unanswered(request);
      const dated = answer instanceof ProviderError ? answer : { ...answer, confirmedAt };
      byKey.set(key, dated);
      learn(key, dated);
    }
    return byKey;
  }

  /** Each store by itself: one that is slow or throttles holds back nobody who asks for what the other has answered. */
  async function fetchAll(
    requests: ReadonlyMap<string, StoreRequest>,
    client: StoreClient,
    patience: Patience,
  ): Promise<ReadonlyMap<string, DatedAnswer>> {
    const byStore = Map.groupBy(requests, ([, { object }]) => object.store);
    const answers = await Promise.all(
      Array.from(byStore, ([store, some]) =>
        fetches.join(new Map(some), (unasked) => fetch(store, unasked, client, patience)),
      ),
    );
    return new Map(answers.flatMap((some) => [...some]));
  }

  /**
   * Has the memory hold what was read at this time or later; of what failed a moment ago, or fails, it does not. A version that cannot change
   * is read again too: it is how one hears that the identity may not read it any more.
   */
  async function renew(
    requests: ReadonlyMap<string, StoreRequest>,
    client: StoreClient,
    {
      notBefore,
      intervalMs,
      patience,
    }: { readonly notBefore: number; readonly intervalMs: number; readonly patience: Patience },
  ): Promise<void> {
    const open = [...requests].filter(
      ([key]) => memory.version(key, notBefore) === undefined && failures.get(key, intervalMs) === undefined,
    );
    await fetchAll(new Map(open), client, patience);
  }

  return {
    async read(requests, client, intervalMs, signal) {
      const notBefore = clock.now() - intervalMs;
      const known = new Map<string, DatedAnswer>();
      const unknown = new Map<string, StoreRequest>();
      for (const [key, request] of byKeyOf(requests, client)) {
        const answer = memory.found(key, notBefore) ?? failures.get(key, intervalMs);
        if (answer === undefined) {
          unknown.set(key, request);
        } else {
          known.set(key, answer);
        }
      }
      const fetched = await unlessAborted(fetchAll(unknown, client, 'persists'), signal);
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
        renew(byKeyOf(expected.keys(), client), client, { notBefore, intervalMs, patience: 'persists' }),
        signal,
      );
      let confirmedAt = clock.now();
      for (const [request, version] of expected) {
        const known = memory.version(keyOf(request, client), notBefore);
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
      // What is under way was asked before, and may be answered by what was true before.
      await unlessAborted(fetches.settled(byKey.keys()), signal);
      await unlessAborted(
        renew(byKey, client, { notBefore: begun, intervalMs: Infinity, patience: 'asks once' }),
        signal,
      );
    },
  };
}

/** Asks again for what is throttled; a failure of all is the answer to each. */
async function askPersistently(
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
        // That time ran out says less than why it did.
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
