import type { Clock } from './clock.ts';

/**
 * Keys, each with the time at which it is due. A key that is worked on is out of the queue until its work ends; what is added meanwhile
 * makes it due again after that, so no key is worked on twice at a time and none is forgotten.
 */
export interface WorkQueue<Key> {
  /** Makes the key due at this time, or leaves it due earlier. */
  add(key: Key, at: number): void;
  remove(key: Key): void;
  /** Whether it waits or is worked on. */
  has(key: Key): boolean;
  /** Keys that nobody works on, due or not. */
  idle(): readonly Key[];
  isBusy(key: Key): boolean;
  /** Settles once nobody works on the key. */
  whenIdle(key: Key): Promise<void>;
  /** Takes the key for work; it must not be busy. */
  begin(key: Key): void;
  /**
   * Puts it back.
   * @param at when it is due next
   * @param coveredAt what was added before this time has been done by the work
   */
  end(key: Key, at: number, coveredAt: number): void;
  /** Nothing becomes due any more. */
  stop(): void;
}

interface Entry {
  dueAt: number;
  /** Set while it is worked on. */
  busy?: PromiseWithResolvers<void>;
  /** When and for what time it was added while it was worked on. */
  readonly again: { readonly addedAt: number; readonly at: number }[];
}

/** Timers take no longer waits. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** @param onDue is called whenever a key is due; it must begin every key that is, or remove it */
export function createWorkQueue<Key>(clock: Clock, onDue: (isDue: (key: Key) => boolean) => void): WorkQueue<Key> {
  const entries = new Map<Key, Entry>();
  let timer = new AbortController();
  let wakesAt = Number.POSITIVE_INFINITY;
  let isStopped = false;

  /** Sleeps until the next key is due. */
  function arm(): void {
    const nextAt = Math.min(
      ...Array.from(entries.values(), ({ busy, dueAt }) => (busy === undefined ? dueAt : Infinity)),
    );
    if (isStopped || nextAt === wakesAt) {
      return;
    }
    timer.abort();
    timer = new AbortController();
    wakesAt = nextAt;
    if (nextAt !== Number.POSITIVE_INFINITY) {
      const waitMs = Math.min(Math.max(nextAt - clock.now(), 0), LONGEST_WAIT_MS);
      clock.sleep(waitMs, timer.signal).then(wake, () => undefined);
    }
  }

  function wake(): void {
    wakesAt = Number.POSITIVE_INFINITY;
    if (!isStopped) {
      const now = clock.now();
      onDue((key) => (entries.get(key)?.dueAt ?? Number.POSITIVE_INFINITY) <= now);
      arm();
    }
  }

  return {
    add(key, at) {
      const entry = entries.get(key) ?? { dueAt: Number.POSITIVE_INFINITY, again: [] };
      entries.set(key, entry);
      if (entry.busy === undefined) {
        entry.dueAt = Math.min(entry.dueAt, at);
        arm();
      } else {
        entry.again.push({ addedAt: clock.now(), at });
      }
    },
    remove(key) {
      entries.get(key)?.busy?.resolve();
      entries.delete(key);
      arm();
    },
    has: (key) => entries.has(key),
    idle: () => [...entries].filter(([, { busy }]) => busy === undefined).map(([key]) => key),
    isBusy: (key) => entries.get(key)?.busy !== undefined,
    whenIdle: async (key) => entries.get(key)?.busy?.promise,
    begin(key) {
      const entry = entries.get(key) ?? { dueAt: Number.POSITIVE_INFINITY, again: [] };
      entries.set(key, entry);
      entry.busy = Promise.withResolvers();
      entry.dueAt = Number.POSITIVE_INFINITY;
    },
    end(key, at, coveredAt) {
      const entry = entries.get(key);
      if (entry?.busy === undefined) {
        return;
      }
      const still = entry.again.filter(({ addedAt }) => addedAt >= coveredAt);
      entry.dueAt = Math.min(at, ...still.map((added) => added.at));
      entry.again.length = 0;
      entry.busy.resolve();
      delete entry.busy;
      arm();
    },
    stop() {
      isStopped = true;
      timer.abort();
    },
  };
}
