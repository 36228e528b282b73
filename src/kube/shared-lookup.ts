import type { Clock } from '../concurrency/clock.ts';
import { unlessAborted } from '../concurrency/cancellation.ts';

/** A waiter ends with its signal, by the signal's reason; what it waits for goes on for the others. */
export type SharedLookup<Value> = (key: string, signal: AbortSignal) => Promise<Value>;

interface Entry<Value> {
  readonly value: Promise<Value>;
  /** On the monotonic clock; Infinity while the call is in flight. */
  readonly staleAt: number;
}

/**
 * One call in flight a key, its answer good for a while for everyone; a failure is forgotten at once.
 * @param ttlMs how long an answer is good
 * @param load must end by itself
 * @param maxKept answers; past it the one that came first goes
 */
export function sharedLookup<Value>(
  ttlMs: number | ((value: Value) => number),
  load: (key: string) => Promise<Value>,
  clock: Clock,
  maxKept = Number.POSITIVE_INFINITY,
): SharedLookup<Value> {
  const entries = new Map<string, Entry<Value>>();

  function start(key: string): Entry<Value> {
    const entry = { value: load(key), staleAt: Number.POSITIVE_INFINITY };
    entries.set(key, entry);
    void settle(key, entry.value);
    return entry;
  }

  async function settle(key: string, value: Promise<Value>): Promise<void> {
    try {
      const answer = await value;
      const goodForMs = typeof ttlMs === 'number' ? ttlMs : ttlMs(answer);
      // Deleted first, so that the map is in the order in which answers came.
      entries.delete(key);
      entries.set(key, { value, staleAt: clock.now() + goodForMs });
      dropSurplus();
    } catch {
      entries.delete(key);
    }
  }

  function dropSurplus(): void {
    for (const [key, { staleAt }] of entries) {
      if (entries.size <= maxKept) {
        return;
      }
      if (staleAt !== Number.POSITIVE_INFINITY) {
        entries.delete(key);
      }
    }
  }

  function dropStale(): void {
    const now = clock.now();
    for (const [key, { staleAt }] of entries) {
      if (staleAt <= now) {
        entries.delete(key);
      }
    }
  }

  return (key, signal) => {
    dropStale();
    return unlessAborted((entries.get(key) ?? start(key)).value, signal);
  };
}
