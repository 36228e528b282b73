import { createCache } from '../../concurrency/cache.ts';
import type { Clock } from '../../concurrency/clock.ts';
import { unlessAborted } from '../../concurrency/cancellation.ts';
import type { Credentials } from '../client/clients.ts';

/** Credentials by identity (and by the region of the STS that issued them). */
export interface CredentialsCache {
  /**
   * Returns the cached credentials, or obtains new ones, with at most one call in flight per key.
   * @param obtain must end by itself, because the signal of one caller does not stop it
   * @throws what `obtain` throws, if no cached credentials are still valid
   */
  get(key: string, obtain: () => Promise<Credentials>, signal: AbortSignal): Promise<Credentials>;
  /** Removes credentials that AWS no longer accepts; newer ones stay. */
  drop(key: string, credentials: Credentials): void;
}

/** More than the pods of a node use in two regions. An evicted entry costs one call. */
const MAX_ENTRIES = 1_000;

/** Credentials are renewed this long before they expire; calls use the old ones meanwhile. */
const EARLY_MS = 5 * 60_000;
/** Credentials that expire sooner than this are not used, as they might expire during a request. */
const MARGIN_MS = 10_000;
const RETRY_MS = 30_000;

export function createCredentialsCache(clock: Clock): CredentialsCache {
  const cache = createCache<Credentials>(clock, { maxEntries: MAX_ENTRIES });
  /** Credentials that could not be renewed a moment ago. */
  const unrenewed = createCache<Credentials>(clock, { maxEntries: MAX_ENTRIES, ttlMs: RETRY_MS });
  const inFlight = new Map<string, Promise<Credentials>>();

  async function renew(key: string, obtain: () => Promise<Credentials>): Promise<Credentials> {
    const held = cache.get(key);
    try {
      const credentials = await obtain();
      cache.set(key, credentials);
      return credentials;
    } catch (error) {
      if (held !== undefined) {
        unrenewed.set(key, held);
      }
      throw error;
    }
  }

  function isUsable(credentials: Credentials | undefined, forMs: number): credentials is Credentials {
    return credentials !== undefined && credentials.expiration.getTime() - clock.wallNow() > forMs;
  }

  return {
    async get(key, obtain, signal) {
      const held = cache.get(key);
      if (isUsable(held, unrenewed.has(key) ? MARGIN_MS : EARLY_MS)) {
        return held;
      }
      const renewal = inFlight.get(key) ?? renew(key, obtain).finally(() => inFlight.delete(key));
      inFlight.set(key, renewal);
      if (!isUsable(held, MARGIN_MS)) {
        return await unlessAborted(renewal, signal);
      }
      // A failure matters only after the old credentials have expired; the next call sees it then.
      renewal.catch(() => undefined);
      return held;
    },
    drop(key, credentials) {
      if (cache.peek(key) === credentials) {
        cache.delete(key);
      }
    },
  };
}
