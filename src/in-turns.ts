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
   * Runs the steps a slice at a time. One slice runs in each turn of the event loop, and the keys get theirs in rotation, so however much
   * work there is, others are served in between and the work of one key does not hold up another's.
   * @param key who the work is for
   * @throws what a step throws; the signal's reason, between two steps, once it is aborted
   */
  run<Result>(key: string, steps: Steps<Result>, signal: AbortSignal): Promise<Result>;
}

/** Runs one slice. @returns whether the work is over */
type Slice = () => boolean;

/** Milliseconds. Shorter slices would cost more in turns of the event loop than they give to others. */
const SLICE_MS = 8;

/**
 * @param now milliseconds on the monotonic clock
 * @param later calls back in the next turn of the event loop
 */
export function createTurns(
  now: () => number = () => performance.now(),
  later: (callback: () => void) => void = setImmediate,
): Turns {
  /** By key, each in order of arrival; the key whose turn is next comes first. */
  const waiting = new Map<string, Slice[]>();

  function enqueue(key: string, slice: Slice): void {
    const slices = waiting.get(key);
    if (slices !== undefined) {
      slices.push(slice);
      return;
    }
    waiting.set(key, [slice]);
    if (waiting.size === 1) {
      later(runOne);
    }
  }

  function runOne(): void {
    const [next] = waiting;
    if (next === undefined) {
      return;
    }
    const [key, slices] = next;
    waiting.delete(key);
    const [slice, ...rest] = slices;
    const remaining = slice === undefined || slice() ? rest : [...rest, slice];
    if (remaining.length > 0) {
      waiting.set(key, remaining);
    }
    if (waiting.size > 0) {
      later(runOne);
    }
  }

  return {
    run(key, steps, signal) {
      return new Promise((resolve, reject) => {
        function slice(): boolean {
          const until = now() + SLICE_MS;
          try {
            do {
              signal.throwIfAborted();
              const step = steps.next();
              if (step.done === true) {
                resolve(step.value);
                return true;
              }
            } while (now() < until);
            return false;
          } catch (error) {
            reject(error);
            return true;
          }
        }
        // What takes less than a slice is done at once where nothing waits: nearly every class is.
        if (waiting.size > 0 || !slice()) {
          enqueue(key, slice);
        }
      });
    },
  };
}

/** The process has one thread, so all its turns are taken in one place. */
export const TURNS: Turns = createTurns();
