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

export interface Turns {
  /**
   * Runs the steps a slice at a time. The first comes at once; the others of all works together get a quarter of the thread's time, the keys in
   * rotation. So little work waits for nobody, and however much there is, the event loop has time for all else.
   * @param key who the work is for
   * @throws what a step throws. Once the signal is aborted its reason is thrown into the steps, which may clear up
   */
  run<Result>(key: string, steps: Steps<Result>, signal?: AbortSignal): Promise<Result>;
}

/** Runs until a time on the clock. @returns whether the work is over */
type Work = (until: number) => boolean;

/** Milliseconds. */
const SLICE_MS = 2;
/** How many times as long as a slice took the next one waits. */
const REST = 3;
/** Milliseconds of rest that may be owed. */
const MAX_OWED_MS = 1_000;

/**
 * @param now milliseconds on the monotonic clock
 * @param later calls back after so many milliseconds
 */
export function createTurns(
  now: () => number = () => performance.now(),
  later: (callback: () => void, ms: number) => unknown = setTimeout,
): Turns {
  /** By key, each in order of arrival; the key whose turn is next comes first. */
  const waiting = new Map<string, Work[]>();
  /** When all rest that is owed has been taken. */
  let restedAt = 0;

  function restLeft(): number {
    return Math.max(0, restedAt - now());
  }

  /** A step that takes longer than a slice is made up for by a longer rest. */
  function runSlice(work: Work): boolean {
    const started = now();
    const isOver = work(started + SLICE_MS);
    const owed = Math.max(restedAt - started, 0) + REST * (now() - started);
    restedAt = now() + Math.min(owed, MAX_OWED_MS);
    return isOver;
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
      later(takeTurn, restLeft());
    }
  }

  function enqueue(key: string, work: Work): void {
    waiting.set(key, [...(waiting.get(key) ?? []), work]);
    if (waiting.size === 1) {
      later(takeTurn, restLeft());
    }
  }

  return {
    run(key, steps, signal) {
      return new Promise((resolve, reject) => {
        let isTold = false;
        function next(): IteratorResult<void, unknown> {
          if (signal?.aborted === true && !isTold) {
            isTold = true;
            return steps.throw(signal.reason);
          }
          return steps.next();
        }
        function work(until: number): boolean {
          try {
            do {
              const step = next();
              if (step.done === true) {
                resolve(step.value as never);
                return true;
              }
            } while (now() < until);
            return false;
          } catch (error) {
            reject(error);
            return true;
          }
        }
        // Nearly every work takes less than a slice, and is over before this returns.
        if (waiting.has(key) || !runSlice(work)) {
          enqueue(key, work);
        }
      });
    },
  };
}

/** The process has one thread, so all its turns are taken in one place. */
export const TURNS: Turns = createTurns();
