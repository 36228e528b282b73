export interface Limiter {
  /**
   * Runs the task when its key has a place free; first come, first served.
   * @throws the signal's reason when it aborts before that
   */
  run<Result>(key: string, task: () => Promise<Result>, signal: AbortSignal): Promise<Result>;
}

interface Lane {
  running: number;
  readonly waiting: Set<() => void>;
}

/** @param limit tasks under way at once, for each key */
export function createLimiter(limit: number): Limiter {
  const lanes = new Map<string, Lane>();

  async function enter(lane: Lane, signal: AbortSignal): Promise<void> {
    if (lane.running < limit) {
      lane.running += 1;
      return;
    }
    const turn = Promise.withResolvers<void>();
    function giveUp(): void {
      lane.waiting.delete(turn.resolve);
      turn.reject(signal.reason);
    }
    lane.waiting.add(turn.resolve);
    signal.addEventListener('abort', giveUp, { once: true });
    await turn.promise.finally(() => signal.removeEventListener('abort', giveUp));
  }

  function leave(key: string, lane: Lane): void {
    const [next] = lane.waiting;
    if (next !== undefined) {
      // The place is handed over, so nobody who comes in between can take it.
      lane.waiting.delete(next);
      next();
      return;
    }
    lane.running -= 1;
    if (lane.running === 0) {
      lanes.delete(key);
    }
  }

  return {
    async run(key, task, signal) {
      signal.throwIfAborted();
      const lane = lanes.get(key) ?? { running: 0, waiting: new Set() };
      lanes.set(key, lane);
      await enter(lane, signal);
      try {
        return await task();
      } finally {
        leave(key, lane);
      }
    },
  };
}
