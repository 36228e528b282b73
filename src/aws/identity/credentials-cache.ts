import type { Clock } from '../../concurrency/clock.ts';
import { unlessAborted } from '../../concurrency/cancellation.ts';
import type { Credentials } from '../client/clients.ts';

/** Credentials by identity (and by the region whose STS gave them). */
export interface CredentialsCache {
  /**
   * Valid credentials: those held, or new ones, for which one call is in flight a key.
   * @param obtain must end by itself: a waiter's end is not its end
   * @throws what `obtain` throws, where none are held that are still valid
   */
  get(key: string, obtain: () => Promise<Credentials>, signal: AbortSignal): Promise<Credentials>;
  /** AWS takes these no longer; others that came since stay. */
  drop(key: string, credentials: Credentials): void;
}

interface Entry {
  readonly held?: Credentials;
  readonly obtaining?: Promise<Credentials>;
  /** Time of the last failure, which is not tried again at once. */
  readonly failedAt?: number;
}

/** New ones are asked for this long before the old ones end; nobody waits for them. */
const EARLY_MS = 5 * 60_000;
/** Nothing is signed with credentials that may end on the way. */
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
      // Those held when it began may have been dropped since.
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
      // A failure is looked at by whoever comes after the old ones have ended.
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

/** Pods come and go; what they leave is a few hundred bytes each. */
const MAX_ENTRIES = 500;

function isValid({ expiration }: Credentials, time: number): boolean {
  return expiration.getTime() - time > MARGIN_MS;
}
