import type { Clock } from './clock.ts';

/** Work in pieces of a few milliseconds at most: it yields wherever other work may run first, and returns its result. */
export type Steps<Result> = Generator<void, Result, void>;

/** Runs all steps at once, where nothing else waits for the thread, as in a command. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

/** The same steps, for what must not be left half done: whoever gives up in the middle of them has given up too late. */
export function* toTheEnd<Result>(steps: Steps<Result>): Steps<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
    try {
      yield;
    } catch {
      // The reason is thrown into steps only once, so nothing is left to tell.
    }
  }
}

/** The one thread of the process, shared out by whose work it does. */
export interface TimeSlices {
  /**
   * Runs the steps a slice at a time. The first comes at once; the others of all works together get a quarter of the thread's time, the keys in
   * rotation. So little work waits for nobody, and however much there is, the event loop has time for all else.
   * @param key who the work is for
   * @throws what a step throws. Once the signal is aborted its reason is thrown into the steps, which may clear up
   */
  run<Result>(key: string, steps: Steps<Result>, signal?: AbortSignal): Promise<Result>;
}

/** Goes on until a time on the clock, or until it is over. @returns whether it is over */
type Work = (until: number) => boolean;

/** Milliseconds. */
const SLICE_MS = 2;
/** How many times as long as a slice took the next one waits. */
const REST = 3;
/** Milliseconds of rest that may be owed. */
const MAX_OWED_MS = 1_000;

/** One for the whole process, as it has one thread. */
export function createTimeSlices(clock: Clock): TimeSlices {
  /** By key, each in order of arrival; the key whose turn is next comes first. */
  const waiting = new Map<string, Work[]>();
  /** When all rest that is owed has been taken. */
  let restedAt = 0;

  /** A step that takes longer than a slice is made up for by a longer rest. @returns whether the work is over */
  function runSlice(work: Work): boolean {
    const started = clock.now();
    const isOver = work(started + SLICE_MS);
    const ended = clock.now();
    const owed = Math.max(0, restedAt - started) + REST * (ended - started);
    restedAt = ended + Math.min(owed, MAX_OWED_MS);
    return isOver;
  }

  function restThenTurn(): void {
    void clock.sleep(Math.max(0, restedAt - clock.now())).then(takeTurn);
  }

  function takeTurn(): void {
    const [next] = waiting;
    if (next === undefined) {
      return;
    }
    const [key, [work, ...rest]] = next;
    waiting.delete(key);
    const remaining = work === undefined || runSlice(work) ? rest : [...rest, work];
    if (remaining.length > 0) {
      waiting.set(key, remaining);
    }
    if (waiting.size > 0) {
      restThenTurn();
    }
  }

  function enqueue(key: string, work: Work): void {
    const isFirst = waiting.size === 0;
    waiting.set(key, [...(waiting.get(key) ?? []), work]);
    if (isFirst) {
      restThenTurn();
    }
  }

  return {
    run(key, steps, signal) {
      const { work, result } = workOf(steps, clock, signal);
      // Nearly every work takes less than a slice, and is over before this returns.
      if (waiting.has(key) || !runSlice(work)) {
        enqueue(key, work);
      }
      return result;
    },
  };
}

/** Steps that stop by the clock, and what comes of them. */
function workOf<Result>(
  steps: Steps<Result>,
  clock: Clock,
  signal: AbortSignal | undefined,
): { readonly work: Work; readonly result: Promise<Result> } {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  let isTold = false;

  function next(): IteratorResult<void, Result> {
    if (isTold || signal?.aborted !== true) {
      return steps.next();
    }
    isTold = true;
    return steps.throw(signal.reason);
  }

  function work(until: number): boolean {
    try {
      do {
        const step = next();
        if (step.done === true) {
          resolve(step.value);
          return true;
        }
      } while (clock.now() < until);
      return false;
    } catch (error) {
      reject(error);
      return true;
    }
  }
  return { work, result: promise };
}
