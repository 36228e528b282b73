import { ProviderError } from '../../errors.ts';
import type { FetchOutcome } from '../../mount/mount.ts';
import type { ObjectSpec, Store } from '../../spec/mount-spec.ts';
import { unlessAborted } from '../../unless-aborted.ts';
import { abortError } from '../errors/aws-error.ts';
import { createFailures, isOutage } from './failures.ts';
import type { Outcomes } from '../failover.ts';
import { createFlights } from './flights.ts';
import type { Memory } from './memory.ts';
import type { Answer, Answers, StoreRequest } from '../stores/store.ts';
import { isPinned, sourceKey } from './source-key.ts';
import { whileThrottled } from './throttling.ts';

/** Asks the stores of one region as one identity. */
export interface Asker {
  /** Key of identity and region. */
  readonly key: string;
  readonly region: string;
  /** Values and versions, of one store. @throws ProviderError for what fails every request alike, e.g. no credentials */
  fetch(store: Store, requests: readonly StoreRequest[], signal: AbortSignal): Promise<Answers>;
  /** Current version of secrets, by request, or why the store is down; left out is what only fetching can tell. @throws ProviderError */
  versions(
    requests: readonly StoreRequest[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<StoreRequest, string | ProviderError>>;
}

/** Answers from memory within the interval; past it, one question serves all who ask the same. */
export interface Reader {
  /** What each request comes to, by its object. */
  read(requests: readonly StoreRequest[], asker: Asker, signal: AbortSignal): Promise<Outcomes>;
  /** Whether all are still at the versions given for them. Asks for no value where the version can be had without. */
  areCurrent(expected: ReadonlyMap<StoreRequest, string>, asker: Asker, signal: AbortSignal): Promise<boolean>;
}

export interface ReaderSettings {
  /** Greatest age of an answer from memory. */
  readonly intervalMs: number;
  /** Longest time for one question to the stores, whoever waits for it. */
  readonly deadlineMs: number;
  /** Aborts when the process ends. */
  readonly closing: AbortSignal;
}

export function createReader(memory: Memory, { intervalMs, deadlineMs, closing }: ReaderSettings): Reader {
  const failures = createFailures(intervalMs);
  const fetches = createFlights<Answer>();
  const checks = createFlights<string | undefined>();

  /** A question's own end: that of one who waits is not that of the others. */
  function bounded(): AbortSignal {
    return AbortSignal.any([closing, AbortSignal.timeout(deadlineMs)]);
  }

  function learn(key: string, answer: Answer, askedAt: number): void {
    if (!(answer instanceof ProviderError)) {
      memory.put(key, answer, askedAt);
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
    asker: Asker,
  ): Promise<ReadonlyMap<string, Answer>> {
    const askedAt = performance.now();
    const answers = await askPersistently(store, [...requests.values()], asker, bounded());
    const byKey = new Map<string, Answer>();
    for (const [key, request] of requests) {
      const answer = answers.get(request) ?? unanswered(request);
      byKey.set(key, answer);
      learn(key, answer, askedAt);
    }
    return byKey;
  }

  /** Each store by itself: one that is slow or throttles holds back nobody who asks for what the other has answered. */
  async function fetchAll(
    requests: ReadonlyMap<string, StoreRequest>,
    asker: Asker,
  ): Promise<ReadonlyMap<string, Answer>> {
    const byStore = Map.groupBy(requests, ([, { object }]) => object.store);
    const answers = await Promise.all(
      Array.from(byStore, ([store, some]) => fetches.join(new Map(some), (unasked) => fetch(store, unasked, asker))),
    );
    return new Map(answers.flatMap((some) => [...some]));
  }

  async function check(
    requests: ReadonlyMap<string, StoreRequest>,
    asker: Asker,
  ): Promise<ReadonlyMap<string, string | undefined>> {
    const askedAt = performance.now();
    const signal = bounded();
    const versions = await asker.versions([...requests.values()], signal).catch((error: unknown) => {
      for (const key of requests.keys()) {
        learn(key, failureOf(error, signal), askedAt);
      }
      return new Map<StoreRequest, string | ProviderError>();
    });
    const byKey = new Map<string, string | undefined>();
    for (const [key, request] of requests) {
      const told = versions.get(request);
      byKey.set(key, told instanceof ProviderError ? undefined : told);
      if (told instanceof ProviderError) {
        learn(key, told, askedAt);
      } else if (told !== undefined) {
        memory.confirm(key, told, askedAt);
      }
    }
    return byKey;
  }

  async function read(requests: readonly StoreRequest[], asker: Asker, signal: AbortSignal): Promise<Outcomes> {
    const notBefore = performance.now() - intervalMs;
    const known = new Map<string, Answer>();
    const unknown = new Map<string, StoreRequest>();
    for (const request of requests) {
      const key = keyOf(request, asker);
      const answer = memory.found(key, notBefore) ?? failures.get(key);
      if (answer === undefined) {
        unknown.set(key, request);
      } else {
        known.set(key, answer);
      }
    }
    const fetched = await unlessAborted(fetchAll(unknown, asker), signal);
    return new Map(
      requests.map((request) => {
        const key = keyOf(request, asker);
        return [request.object, outcomeOf(request, known.get(key) ?? fetched.get(key) ?? unanswered(request), asker)];
      }),
    );
  }

  return {
    read,
    async areCurrent(expected, asker, signal) {
      const notBefore = performance.now() - intervalMs;
      function versionOf(request: StoreRequest): string | undefined {
        return memory.version(keyOf(request, asker), isPinned(request) ? -Infinity : notBefore);
      }
      const unchecked = [...expected.keys()].filter((request) => versionOf(request) === undefined);
      // To be told of a version does for an identity that has read it, and while its store answers.
      const checkable = unchecked
        .map((request) => [keyOf(request, asker), request] as const)
        .filter(([key]) => memory.version(key, -Infinity) !== undefined && failures.get(key) === undefined);
      const checked = await unlessAborted(
        checks.join(new Map(checkable), (unasked) => check(unasked, asker)),
        signal,
      );
      const unread = unchecked.filter((request) => checked.get(keyOf(request, asker)) === undefined);
      const outcomes = unread.length > 0 ? await read(unread, asker, signal) : new Map<ObjectSpec, FetchOutcome>();
      return [...expected].every(([request, version]) => {
        const outcome = outcomes.get(request.object);
        const latest = outcome instanceof ProviderError ? undefined : outcome?.version;
        return (latest ?? checked.get(keyOf(request, asker)) ?? versionOf(request)) === version;
      });
    },
  };
}

/** Asks again for what is throttled; a failure of all is the answer to each. */
async function askPersistently(
  store: Store,
  requests: readonly StoreRequest[],
  asker: Asker,
  signal: AbortSignal,
): Promise<Answers> {
  const answers = new Map<StoreRequest, Answer>();
  await whileThrottled(async () => {
    const open = requests.filter((request) => !answers.has(request) || isThrottled(answers.get(request)));
    const latest = await ask(store, open, asker, signal);
    for (const [request, answer] of latest) {
      // That time ran out says less than why it did.
      if (!(signal.aborted && isThrottled(answers.get(request)))) {
        answers.set(request, answer);
      }
    }
    return [...latest.values()].some(isThrottled);
  }, signal);
  return answers;
}

async function ask(
  store: Store,
  requests: readonly StoreRequest[],
  asker: Asker,
  signal: AbortSignal,
): Promise<Answers> {
  try {
    return await asker.fetch(store, requests, signal);
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

function keyOf({ object, source }: StoreRequest, { key }: Asker): string {
  return `${key} ${sourceKey(object.store, source)}`;
}

function outcomeOf({ object }: StoreRequest, answer: Answer, { region }: Asker): FetchOutcome {
  return answer instanceof ProviderError ? answer : { object, region, ...answer };
}

function unanswered({ object }: StoreRequest): ProviderError {
  return new ProviderError('Internal', `no answer for object "${object.name}"`, { object: object.name });
}
