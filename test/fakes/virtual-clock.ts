import { type Clock, SYSTEM_CLOCK } from '../../src/concurrency/clock.ts';

/** Time that stands still until it is advanced. */
export interface VirtualClock extends Clock {
  /** Pending waits: sleeps and time-outs. */
  readonly waiting: number;
  /** Advances the time; what becomes due runs in order, each with everything that it triggers before the next. */
  advance(ms: number): Promise<void>;
  /** Advances to the next thing that is due. @returns false if nothing is waiting */
  next(): Promise<boolean>;
  /** Sets the wall clock, like `date`. */
  jump(ms: number): void;
}

interface Wait {
  readonly at: number;
  wake(): void;
}

/** @param startsAt wall clock in milliseconds */
export function createVirtualClock(startsAt = Date.parse('2026-01-01T00:00:00Z')): VirtualClock {
  const waits = new Set<Wait>();
  let now = 0;
  let wallOffset = startsAt;

  function wait(ms: number, wake: () => void): Wait {
    const added = { at: now + Math.max(0, ms), wake };
    waits.add(added);
    return added;
  }

  /** Of those that are due at the same time the one that began to wait first. */
  function earliest(): Wait | undefined {
    let found: Wait | undefined;
    for (const candidate of waits) {
      if (found === undefined || candidate.at < found.at) {
        found = candidate;
      }
    }
    return found;
  }

  async function nextUntil(end: number): Promise<boolean> {
    const due = earliest();
    if (due === undefined || due.at > end) {
      return false;
    }
    now = Math.max(now, due.at);
    waits.delete(due);
    due.wake();
    await settled();
    return true;
  }

  return {
    get waiting() {
      return waits.size;
    },
    now: () => now,
    wallNow: () => now + wallOffset,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const added = wait(ms, resolve);
      function giveUp(): void {
        waits.delete(added);
        reject(signal?.reason);
      }
      signal?.addEventListener('abort', giveUp, { once: true });
      await promise.finally(() => signal?.removeEventListener('abort', giveUp));
    },
    timeout(ms) {
      const controller = new AbortController();
      wait(ms, () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')));
      return controller.signal;
    },
    yield: () => Promise.resolve(),
    async advance(ms) {
      const end = now + ms;
      await settled();
      while (await nextUntil(end)) {
        // Until nothing more is due.
      }
      now = end;
    },
    async next() {
      await settled();
      return await nextUntil(Number.POSITIVE_INFINITY);
    },
    jump(ms) {
      wallOffset += ms;
    },
  };
}

/** Resolves once everything that is ready has run: promises are settled before the event loop continues. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A clock with a time that tests set, for code that reads the time and never waits. */
export function clockAt(now: () => number): Clock {
  return { ...SYSTEM_CLOCK, now, wallNow: now };
}

/** A clock whose sleeps end at once, for code that uses sockets between them. */
export interface HastyClock extends Clock {
  /** Milliseconds of each sleep, in order. */
  readonly slept: readonly number[];
}

export function createHastyClock(): HastyClock {
  const slept: number[] = [];
  return {
    ...SYSTEM_CLOCK,
    slept,
    async sleep(ms, signal) {
      signal?.throwIfAborted();
      slept.push(ms);
      await settled();
    },
  };
}
