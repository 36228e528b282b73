import type { Clock } from '../../src/concurrency/clock.ts';
import { createServerClock, type ServerClock } from '../../src/concurrency/server-clock.ts';

/** A process that can be killed at any await: from then on nothing that it waits for ever comes, and nothing that it asks for is done. */
export interface Process {
  readonly clock: ServerClock;
  readonly isAlive: boolean;
  /** Settles when it is killed. */
  readonly killed: Promise<void>;
  kill(): void;
  /** What came of some work, unless it was killed meanwhile. */
  awaken<Result>(work: Promise<Result>): Promise<Result>;
}

/** @param skewMs by which the node's wall clock is ahead */
export function startProcess(world: Clock, skewMs: () => number): Process {
  const killed = Promise.withResolvers<void>();
  let isAlive = true;

  async function awaken<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } finally {
      if (!isAlive) {
        await new Promise(() => undefined);
      }
    }
  }

  return {
    get isAlive() {
      return isAlive;
    },
    killed: killed.promise,
    kill() {
      isAlive = false;
      killed.resolve();
    },
    awaken,
    clock: createServerClock({
      now: () => world.now(),
      wallNow: () => world.wallNow() + skewMs(),
      sleep: (ms, signal) => awaken(world.sleep(ms, signal)),
      timeout: (ms) => world.timeout(ms),
      yield: () => awaken(world.yield()),
    }),
  };
}
