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

interface Entry {
  readonly held?: Credentials;
  readonly obtaining?: Promise<Credentials>;
  /** Time of the last failure; the next attempt waits for a while. */
  readonly failedAt?: number;
}

/** Credentials are renewed this long before they expire; calls use the old ones meanwhile. */
const EARLY_MS = 5 * 60_000;
/** Credentials that expire sooner than this are not used, as they might expire during a request. */
const MARGIN_MS = 10_000;
const RETRY_MS = 30_000;

export function createCredentialsCache(clock: Clock): CredentialsCache {
  const entries = new Map<string, Entry>();

  async function obtainFor(key: string, obtain: () => Promise<Credentials>): Promise<Credentials> {
    try {
      const credentials = await obtain();
      entries.set(key, { held: credentials });
      return credentials;
    } catch (error) {
      // The credentials may have been dropped while this call was in flight.
      const { held } = entries.get(key) ?? {};
      entries.set(key, { ...(held !== undefined && { held }), failedAt: clock.wallNow() });
      throw error;
    }
  }

  function dropEnded(): void {
    for (const [key, { held, obtaining }] of entries) {
      if (obtaining === undefined && (held === undefined || !isValid(held, clock.wallNow()))) {
        entries.delete(key);
      }
    }
  }

  return {
    async get(key, obtain, signal) {
      const { held, obtaining, failedAt = -Infinity } = entries.get(key) ?? {};
      const valid = held !== undefined && isValid(held, clock.wallNow());
      if (valid && (held.expiration.getTime() - clock.wallNow() > EARLY_MS || clock.wallNow() - failedAt < RETRY_MS)) {
        return held;
      }
      if (entries.size > MAX_ENTRIES) {
        dropEnded();
      }
      const next = obtaining ?? obtainFor(key, obtain);
      if (obtaining === undefined) {
        entries.set(key, { ...(held !== undefined && { held }), obtaining: next });
      }
      if (!valid) {
        return await unlessAborted(next, signal);
      }
      // A failure matters only after the old credentials have expired; the next call sees it then.
      next.catch(() => undefined);
      return held;
    },
    drop(key, credentials) {
      const { held, ...rest } = entries.get(key) ?? {};
      if (held === credentials) {
        entries.set(key, rest);
      }
    },
  };
}

/** Expired entries of deleted pods are removed only above this size, as they take a few hundred bytes each. */
const MAX_ENTRIES = 500;

function isValid({ expiration }: Credentials, time: number): boolean {
  return expiration.getTime() - time > MARGIN_MS;
}
