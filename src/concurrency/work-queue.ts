import type { Clock } from './clock.ts';

/**
 * Keys with the times at which they are due. A key is out of the queue while it is processed; if it is added meanwhile, it becomes due again after that. So
 * no key is processed twice at the same time, and none is lost.
 */
export interface WorkQueue<Key> {
  /** Makes the key due at this time, unless it is due earlier. */
  add(key: Key, at: number): void;
  remove(key: Key): void;
  /** Whether the key is waiting or being processed. */
  has(key: Key): boolean;
  /** Keys that are not being processed, due or not. */
  idle(): readonly Key[];
  isBusy(key: Key): boolean;
  /** Resolves when the key is not being processed. */
  whenIdle(key: Key): Promise<void>;
  /** Starts to process the key, which must not be busy. */
  begin(key: Key): void;
  /**
   * Ends the processing and puts the key back.
   * @param at when the key is due next
   * @param coveredAt ignores additions before this time, because the processing covered them
   */
  end(key: Key, at: number, coveredAt: number): void;
  /** Stops the queue: no key becomes due any more. */
  stop(): void;
}

interface Entry {
  readonly dueAt: number;
  /** Set while the key is processed. */
  readonly busy?: PromiseWithResolvers<void>;
  /** When, and for what time, the key was added while it was processed. */
  readonly again: { readonly addedAt: number; readonly at: number }[];
}

/** The longest delay that timers support. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** @param onDue called whenever keys are due; must begin or remove each of them */
export function createWorkQueue<Key>(clock: Clock, onDue: (isDue: (key: Key) => boolean) => void): WorkQueue<Key> {
  const entries = new Map<Key, Entry>();
  const alarm = createAlarm(clock, wake);
  let isStopped = false;

  function arm(): void {
    if (!isStopped) {
      const times = Array.from(entries.values(), ({ busy, dueAt }) => (busy === undefined ? dueAt : Infinity));
      alarm.setTo(Math.min(...times));
    }
  }

  function wake(): void {
    if (!isStopped) {
      const now = clock.now();
      onDue((key) => (entries.get(key)?.dueAt ?? Infinity) <= now);
      arm();
    }
  }

  return {
    add(key, at) {
      const entry = entries.get(key);
      if (entry?.busy === undefined) {
        entries.set(key, { dueAt: Math.min(entry?.dueAt ?? Infinity, at), again: [] });
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
      entries.set(key, { dueAt: Infinity, busy: Promise.withResolvers(), again: [] });
    },
    end(key, at, coveredAt) {
      const entry = entries.get(key);
      if (entry?.busy === undefined) {
        return;
      }
      const still = entry.again.filter(({ addedAt }) => addedAt >= coveredAt);
      entries.set(key, { dueAt: Math.min(at, ...still.map((added) => added.at)), again: [] });
      entry.busy.resolve();
      arm();
    },
    stop() {
      isStopped = true;
      alarm.setTo(Infinity);
    },
  };
}

interface Alarm {
  /** Replaces the time that was set before. Infinity: never. */
  setTo(at: number): void;
}

/** @param ring called at the time that is set, or earlier if that is weeks away */
function createAlarm(clock: Clock, ring: () => void): Alarm {
  let timer = new AbortController();
  let setAt = Infinity;
  return {
    setTo(at) {
      if (at === setAt) {
        return;
      }
      timer.abort();
      timer = new AbortController();
      setAt = at;
      if (at !== Infinity) {
        const waitMs = Math.min(Math.max(at - clock.now(), 0), LONGEST_WAIT_MS);
        clock.sleep(waitMs, timer.signal).then(
          () => {
            setAt = Infinity;
            ring();
          },
          () => undefined,
        );
      }
    },
  };
}
