export interface Limiter {
  /**
   * Runs the task as soon as its lane has a free slot. Waiting tasks are scheduled fairly by party, the one with the fewest running tasks first: a party with a
   * thousand tasks delays the first task of another by no more than one task. Within a party, first come, first served.
   * @param party owner of the task, such as an identity
   * @throws the signal's reason if it aborts before the task starts
   */
  run<Result>(
    place: { readonly lane: string; readonly party: string },
    task: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result>;
}

interface Lane {
  running: number;
  readonly runningOf: Map<string, number>;
  /** Waiting tasks by party; the order of the parties is that in which they are scheduled. */
  readonly waiting: Map<string, Set<() => void>>;
}

/** The share of the slots that one party may take, so that one with slow tasks does not hold all of them. */
const SHARE = 3 / 4;

/** @param limit running tasks per lane; one party gets at most three quarters of them */
export function createLimiter(limit: number): Limiter {
  const lanes = new Map<string, Lane>();
  const limitOfParty = Math.ceil(limit * SHARE);

  return {
    async run({ lane: name, party }, task, signal) {
      signal.throwIfAborted();
      const lane = lanes.get(name) ?? { running: 0, runningOf: new Map(), waiting: new Map() };
      lanes.set(name, lane);
      const turn = wait(lane, party);
      fill(lane);
      await turn.taken(signal);
      try {
        return await task();
      } finally {
        leave(lane, party);
        fill(lane);
        if (lane.running === 0) {
          lanes.delete(name);
        }
      }
    },
  };

  /** The only place that assigns slots, so that no new task can overtake a waiting one. */
  function fill(lane: Lane): void {
    while (lane.running < limit) {
      const party = nextParty(lane, limitOfParty);
      if (party === undefined) {
        return;
      }
      start(lane, party);
    }
  }
}

function nextParty({ waiting, runningOf }: Lane, limitOfParty: number): string | undefined {
  let next: string | undefined;
  let fewest = limitOfParty;
  for (const party of waiting.keys()) {
    const running = runningOf.get(party) ?? 0;
    if (running < fewest) {
      next = party;
      fewest = running;
    }
    if (fewest === 0) {
      break;
    }
  }
  return next;
}

function start(lane: Lane, party: string): void {
  const tasks = lane.waiting.get(party);
  const [begin] = tasks ?? [];
  if (tasks === undefined || begin === undefined) {
    return;
  }
  tasks.delete(begin);
  // The party moves to the end of the queue.
  lane.waiting.delete(party);
  if (tasks.size > 0) {
    lane.waiting.set(party, tasks);
  }
  lane.running += 1;
  lane.runningOf.set(party, (lane.runningOf.get(party) ?? 0) + 1);
  begin();
}

function leave(lane: Lane, party: string): void {
  lane.running -= 1;
  const running = (lane.runningOf.get(party) ?? 0) - 1;
  if (running > 0) {
    lane.runningOf.set(party, running);
  } else {
    lane.runningOf.delete(party);
  }
}

function wait(lane: Lane, party: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const tasks = lane.waiting.get(party) ?? new Set();
  tasks.add(resolve);
  lane.waiting.set(party, tasks);
  return {
    async taken(signal: AbortSignal): Promise<void> {
      function giveUp(): void {
        // A task that has been started keeps its slot, and frees it when it ends.
        if (!tasks.delete(resolve)) {
          return;
        }
        if (tasks.size === 0) {
          lane.waiting.delete(party);
        }
        reject(signal.reason);
      }
      signal.addEventListener('abort', giveUp, { once: true });
      await promise.finally(() => signal.removeEventListener('abort', giveUp));
    },
  };
}
