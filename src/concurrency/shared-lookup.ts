import { type CacheBounds, type Cached, createCache } from './cache.ts';
import { unlessAborted } from './cancellation.ts';
import type { Clock } from './clock.ts';

/**
 * @param load called if there is no value; must end by itself, because the signal of one caller does not stop it
 * @throws what the load throws; or the signal's reason if it aborts, while the load continues for other callers
 */
export type SharedLookup<Value> = (key: string, load: () => Promise<Value>, signal: AbortSignal) => Promise<Value>;

/**
 * A cache with at most one call in flight per key. Failures are not cached, and calls in flight are not evicted.
 * @param ttlOf lifetime of a value in milliseconds; absent: that of the bounds
 */
export function createSharedLookup<Value extends Cached>(
  clock: Clock,
  bounds: CacheBounds<Value>,
  ttlOf?: (value: Value) => number,
): SharedLookup<Value> {
  const cache = createCache<Value>(clock, bounds);
  const inFlight = new Map<string, Promise<Value>>();

  async function start(key: string, load: () => Promise<Value>): Promise<Value> {
    const call = load();
    inFlight.set(key, call);
    try {
      const value = await call;
      cache.set(key, value, ttlOf && { ttl: ttlOf(value) });
      return value;
    } finally {
      inFlight.delete(key);
    }
  }

  return async (key, load, signal) => {
    signal.throwIfAborted();
    return cache.get(key) ?? (await unlessAborted(inFlight.get(key) ?? start(key, load), signal));
  };
}
