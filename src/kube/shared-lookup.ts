import type { Clock } from '../concurrency/clock.ts';
import { unlessAborted } from '../concurrency/cancellation.ts';

/** Throws the signal's reason if it aborts; the load continues for other callers. */
export type SharedLookup<Value> = (key: string, signal: AbortSignal) => Promise<Value>;

interface Entry<Value> {
  readonly value: Promise<Value>;
  /** Expiry on the monotonic clock; Infinity while the call is in flight. */
  readonly staleAt: number;
}

/**
 * A cache with at most one call in flight per key. Failures are not cached.
 * @param ttlMs lifetime of an entry
 * @param load must end by itself, because the signal of one caller does not stop it
 * @param maxKept maximum number of entries; the oldest is evicted
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
      // Deleted first, to keep the map in the order in which results arrived.
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
