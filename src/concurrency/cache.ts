import { LRUCache } from 'lru-cache';
import type { Clock } from './clock.ts';

/** At least one bound is required. When one is exceeded, the least recently used entry is evicted. */
export type CacheBounds<Value> = {
  /** Lifetime of an entry in milliseconds; absent: unlimited. `set` can override it for one entry. */
  readonly ttlMs?: number;
} & (
  | { readonly maxEntries: number }
  | {
      readonly maxEntries?: number;
      readonly maxSize: number;
      readonly sizeOf: (value: Value, key: string) => number;
    }
);

/** Not undefined, which stands for no entry. */
export type Cached = object | string | true;

export type Cache<Value extends Cached> = LRUCache<string, Value>;

/** Milliseconds between two searches for entries whose lifetime has ended. */
const PURGE_EVERY_MS = 1_000;

/** The only kind of cache in the provider: bounded, with the clock passed in. */
export function createCache<Value extends Cached>(clock: Clock, bounds: CacheBounds<Value>): Cache<Value> {
  let purgedAt = clock.now();
  const cache = new LRUCache<string, Value>({
    ...('sizeOf' in bounds
      ? {
          max: bounds.maxEntries ?? 0,
          maxSize: bounds.maxSize,
          sizeCalculation: (value, key) => Math.max(1, bounds.sizeOf(value, key)),
        }
      : // The library's `max` would reserve memory for all entries at once.
        { maxSize: bounds.maxEntries, sizeCalculation: () => 1 }),
    // The library takes whole milliseconds only.
    ttl: Math.ceil(bounds.ttlMs ?? 0),
    // The library takes 0 for "no time-to-live", and a clock may start there.
    perf: { now: () => clock.now() + 1 },
    // Otherwise the library keeps the time in a timer of its own.
    ttlResolution: 0,
    // The library keeps ended entries until they are read or evicted, or sets a timer for each.
    onInsert() {
      if (clock.now() - purgedAt >= PURGE_EVERY_MS) {
        purgedAt = clock.now();
        cache.purgeStale();
      }
    },
  });
  return cache;
}
