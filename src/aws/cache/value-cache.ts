import type { SecretBytes } from '../../model/secret-bytes.ts';
import type { Found } from '../model/store.ts';

/** A response of a store with the time at which the request was sent: it was correct then or later. */
export type Dated<Response> = Response & { readonly confirmedAt: number };

/** Values by keys that contain identity, region, store, object and selector. Times are those at which requests were sent. */
export interface ValueCache {
  /** The version last read, if the identity was able to read it at this time or later. */
  version(key: string, notBefore: number): Dated<Pick<Found, 'version'>> | undefined;
  /** The value with its version, if the identity was able to read it at this time or later. */
  found(key: string, notBefore: number): Dated<Found> | undefined;
  /** Stores a value, unless a later request has already returned another version. */
  put(key: string, found: Dated<Found>): void;
  /** Removes a value that the identity may no longer read, or that no longer exists. */
  forget(key: string): void;
}

interface Entry {
  readonly version: string;
  readonly readAt: number;
  readonly value?: SecretBytes;
}

/** An entry without value takes a few hundred bytes: some megabytes in total. */
const MAX_ENTRIES = 10_000;

/** @param maxBytes for all values together; the least recently used are evicted first; 0 keeps versions only */
export function createValueCache(maxBytes: number): ValueCache {
  // In order of use, least recently used first.
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function set(key: string, entry: Entry): void {
    entries.delete(key);
    entries.set(key, entry);
  }

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      if (bytes <= maxBytes && entries.size <= MAX_ENTRIES) {
        return;
      }
      bytes -= entry.value?.size ?? 0;
      if (entries.size > MAX_ENTRIES) {
        entries.delete(key);
      } else {
        entries.set(key, { version: entry.version, readAt: entry.readAt });
      }
    }
  }

  return {
    version(key, notBefore) {
      const entry = entries.get(key);
      return entry !== undefined && entry.readAt >= notBefore
        ? { version: entry.version, confirmedAt: entry.readAt }
        : undefined;
    },
    found(key, notBefore) {
      const entry = entries.get(key);
      if (entry?.value === undefined || entry.readAt < notBefore) {
        return undefined;
      }
      set(key, entry);
      return { version: entry.version, value: entry.value, confirmedAt: entry.readAt };
    },
    put(key, { version, value, confirmedAt }) {
      const before = entries.get(key);
      if (before !== undefined && before.readAt > confirmedAt && before.version !== version) {
        return;
      }
      const isKept = value.size <= maxBytes;
      bytes += (isKept ? value.size : 0) - (before?.value?.size ?? 0);
      set(key, { version, readAt: confirmedAt, ...(isKept && { value }) });
      makeRoom();
    },
    forget(key) {
      bytes -= entries.get(key)?.value?.size ?? 0;
      entries.delete(key);
    },
  };
}
