import type { Clock } from './clock.ts';
import { createFairQueue, type Party } from './fair-queue.ts';

/** Work in steps of a few milliseconds at most. It yields where other work may run, and returns its result. */
export type Steps<Result> = Generator<void, Result, void>;

/** Runs all steps without a pause, for commands, where no other work waits for the thread. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
  }
}

/** Makes steps uninterruptible, for work that must not be left half done: an abort in the middle is ignored. */
export function* toTheEnd<Result>(steps: Steps<Result>): Steps<Result> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) {
      return step.value;
    }
    try {
      yield;
    } catch {
      // The abort reason is thrown into the steps only once, so it does not come again.
    }
  }
}

/** Divides the time of the process's one thread fairly between the parties that need it. */
export interface TimeSlices {
  /**
   * Runs the steps in time slices. The first slice runs at once. The further slices of all work together get a sixth of the thread's time, after a burst of
   * 200 ms a minute, round robin by party. So small work never waits, and the event loop has time for everything else, however much work there is.
   * @param party for whom the work is done
   * @throws what a step throws. When the signal aborts, its reason is thrown into the steps, which may clean up
   */
  run<Result>(party: Party, steps: Steps<Result>, signal?: AbortSignal): Promise<Result>;
}

/** Runs until a time on the clock, or until the work is done. @returns whether the work is done */
type Work = (until: number) => boolean;

/** Milliseconds. */
const SLICE_MS = 2;
/** After a slice, the next one waits this many times as long as the slice took. */
const REST = 5;
/** Milliseconds of rest that are spared once a minute: the pods of a node that start together need 200 ms of work. */
const SPARED_MS = 1_000;
const SPARED_EVERY_MS = 60_000;
/** Maximum milliseconds of accumulated rest. */
const MAX_OWED_MS = 1_000;

/** Create only one per process, because it has one thread. */
export function createTimeSlices(clock: Clock): TimeSlices {
  const queue = createFairQueue<{ readonly party: Party; readonly work: Work }>();
  const rest = createRest(clock);

  /** Runs one slice. If a step takes longer than a slice, a longer rest follows. @returns whether the work is done */
  function runSlice(work: Work): boolean {
    const started = clock.now();
    const isDone = work(started + SLICE_MS);
    rest.addFor(started);
    return isDone;
  }

  function restThenTurn(): void {
    void clock.sleep(rest.leftMs()).then(takeTurn);
  }

  function takeTurn(): void {
    const next = queue.take();
    if (next === undefined) {
      return;
    }
    const isDone = runSlice(next.item.work);
    next.done();
    if (!isDone) {
      queue.add(next.item.party, next.item);
    }
    if (queue.size > 0) {
      restThenTurn();
    }
  }

  function enqueue(party: Party, work: Work): void {
    queue.add(party, { party, work });
    if (queue.size === 1) {
      restThenTurn();
    }
  }

  return {
    run(party, steps, signal) {
      const { work, result } = workOf(steps, clock, signal);
      // Nearly all work takes less than a slice, and is done before this returns.
      if (queue.has(party) || !runSlice(work)) {
        enqueue(party, work);
      }
      return result;
    },
  };
}

/** The rest that the slices owe. */
interface Rest {
  /** Adds the rest for a slice that ends now. */
  addFor(started: number): void;
  leftMs(): number;
}

function createRest(clock: Clock): Rest {
  /** Time on the clock at which the accumulated rest ends. */
  let endsAt = 0;
  let spared = { leftMs: SPARED_MS, since: clock.now() };

  /** @returns the part of a rest that must be taken */
  function unspared(ms: number, now: number): number {
    if (now - spared.since >= SPARED_EVERY_MS) {
      spared = { leftMs: SPARED_MS, since: now };
    }
    const used = Math.min(spared.leftMs, ms);
    spared.leftMs -= used;
    return ms - used;
  }

  return {
    addFor(started) {
      const now = clock.now();
      const owed = Math.max(0, endsAt - started) + unspared(REST * (now - started), now);
      endsAt = now + Math.min(owed, MAX_OWED_MS);
    },
    leftMs: () => Math.max(0, endsAt - clock.now()),
  };
}

/** Runs steps until a time on the clock, and settles a promise with their result. */
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
