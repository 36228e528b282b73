export interface Limiter {
  /**
   * Runs the task when its lane has a place free. Those who wait take turns by party, the one that has the fewest under way first: a party
   * with a thousand tasks keeps another's first no longer than one of its tasks takes. Within a party, first come, first served.
   * @param party whose task it is: an identity, say
   * @throws the signal's reason when it aborts before that
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
  /** By party, in the order of their turns. */
  readonly waiting: Map<string, Set<() => void>>;
}

/** The rest of the places is for the other parties, so that one whose tasks are slow does not hold them all. */
const SHARE = 3 / 4;

/** @param limit tasks under way at once, for each lane; one party gets three quarters of them */
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

  /** Places are given here only, so nobody who comes in between can take one. */
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
  // The party goes to the end of the line.
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
        // One that was told to begin has its place, and gives it back by ending.
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
