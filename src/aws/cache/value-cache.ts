import type { SecretBytes } from '../../model/secret-bytes.ts';
import type { Found } from '../model/store.ts';

/** What a store said, and the time of the question: it was so then or later. */
export type Dated<Said> = Said & { readonly confirmedAt: number };

/** What identities have read, by keys that hold identity, region, store, object and selector. Times are those of the questions. */
export interface ValueCache {
  /** The version last read, if the identity was allowed to read it at this time or later. */
  version(key: string, notBefore: number): Dated<Pick<Found, 'version'>> | undefined;
  /** A copy, if the identity was allowed to read it at this time or later. */
  found(key: string, notBefore: number): Dated<Found> | undefined;
  /** What was read. Where a later question was answered by another version already, it says nothing new. */
  put(key: string, found: Dated<Found>): void;
  /** Wipes what is known: the identity may not read it, or it is gone. */
  forget(key: string): void;
  /** Bytes of all values held. */
  readonly bytes: number;
}

interface Entry {
  readonly version: string;
  readonly readAt: number;
  readonly value?: SecretBytes;
}

/** Versions take a few hundred bytes each: some megabytes at most. */
const MAX_ENTRIES = 10_000;

/** @param maxBytes for all values together; what was used least recently goes first, and 0 keeps versions only */
export function createValueCache(maxBytes: number): ValueCache {
  // In order of use, the oldest first.
  const entries = new Map<string, Entry>();
  let bytes = 0;

  function set(key: string, entry: Entry): void {
    entries.delete(key);
    entries.set(key, entry);
  }

  /** Not the callers' copies: they may be on their way to a file. */
  function wipe({ value }: Entry): void {
    bytes -= value?.size ?? 0;
    value?.wipe();
  }

  function makeRoom(): void {
    for (const [key, entry] of entries) {
      if (bytes <= maxBytes && entries.size <= MAX_ENTRIES) {
        return;
      }
      wipe(entry);
      if (entries.size > MAX_ENTRIES) {
        entries.delete(key);
      } else if (entry.value !== undefined) {
        const { value: _wiped, ...version } = entry;
        entries.set(key, version);
      }
    }
  }

  return {
    get bytes() {
      return bytes;
    },
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
      return { version: entry.version, value: entry.value.copy(), confirmedAt: entry.readAt };
    },
    put(key, { version, value, confirmedAt }) {
      const before = entries.get(key);
      if (before !== undefined && before.readAt > confirmedAt && before.version !== version) {
        return;
      }
      if (before !== undefined) {
        wipe(before);
      }
      const entry = { version, readAt: confirmedAt };
      if (value.size > maxBytes) {
        set(key, entry);
      } else {
        bytes += value.size;
        set(key, { ...entry, value: value.copy() });
      }
      makeRoom();
    },
    forget(key) {
      const entry = entries.get(key);
      if (entry !== undefined) {
        wipe(entry);
        entries.delete(key);
      }
    },
  };
}
