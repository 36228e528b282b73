import { onAbort } from './cancellation.ts';
import { createFairQueue, type FairQueue, type Party } from './fair-queue.ts';

export interface Limiter {
  /**
   * Runs the task as soon as its lane has a free slot. Waiting tasks are scheduled fairly by party, the one with the fewest running tasks first: a party with a
   * thousand tasks delays the first task of another by no more than one task. Within a party, first come, first served.
   * @throws the signal's reason if it aborts before the task starts
   */
  run<Result>(
    place: { readonly lane: string; readonly party: Party },
    task: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result>;
}

interface Lane {
  /** Waiting and running tasks. */
  tasks: number;
  readonly queue: FairQueue<(done: () => void) => void>;
}

/** @param limit running tasks per lane; a namespace gets at most three quarters of them, and a service account at most three quarters of those */
export function createLimiter(limit: number): Limiter {
  const lanes = new Map<string, Lane>();

  return {
    async run({ lane: name, party }, task, signal) {
      signal.throwIfAborted();
      const lane = lanes.get(name) ?? { tasks: 0, queue: createFairQueue(limit) };
      lanes.set(name, lane);
      lane.tasks += 1;
      try {
        const done = await slotIn(lane, party, signal);
        try {
          return await task();
        } finally {
          done();
          fill(lane);
        }
      } finally {
        lane.tasks -= 1;
        if (lane.tasks === 0) {
          lanes.delete(name);
        }
      }
    },
  };
}

/** The only place that assigns slots, so that no new task can overtake a waiting one. */
function fill({ queue }: Lane): void {
  for (let next = queue.take(); next !== undefined; next = queue.take()) {
    next.item(next.done);
  }
}

/** @returns frees the slot */
async function slotIn(lane: Lane, party: Party, signal: AbortSignal): Promise<() => void> {
  const { promise, resolve, reject } = Promise.withResolvers<() => void>();
  const remove = lane.queue.add(party, resolve);
  using _ = onAbort(signal, () => {
    // A task that has been started keeps its slot, and frees it when it ends.
    if (remove()) {
      reject(signal.reason);
    }
  });
  fill(lane);
  return await promise;
}
