import { createHash } from 'node:crypto';
import { type Cache, createCache } from '../concurrency/cache.ts';
import type { Clock } from '../concurrency/clock.ts';
import { createKeyedLock } from '../concurrency/keyed-lock.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import { readPem } from './pem.ts';
import { createRoundsBudget } from './rounds.ts';

/** The certificates and the key of a file, in DER. */
export interface TlsFile {
  readonly certificates: readonly Uint8Array[];
  readonly key: Uint8Array | undefined;
  /** The key is encrypted with a password. */
  readonly isLocked: boolean;
  /** The file is a PFX that needs too many rounds of key derivation. */
  readonly takesTooLong: boolean;
}

/** Reads the files of one sync of a mount. Each file is read once, even if several Secrets use it. */
export interface TlsReader {
  read(file: PlannedFile): Promise<TlsFile>;
}

/** Files that are known to be unreadable. */
const MAX_REFUSALS = 1000;
const NOTHING: TlsFile = { certificates: [], key: undefined, isLocked: false, takesTooLong: false };
const TOO_LONG: TlsFile = { ...NOTHING, takesTooLong: true };

/** @returns a function that opens a reader for one sync. A bad file is parsed only once until it changes, by whichever reader */
export function createTlsReaders(clock: Clock): () => TlsReader {
  /** By the digest of the bytes. */
  const refusals = createCache<TlsFile>(clock, { maxEntries: MAX_REFUSALS });
  return () => createTlsReader(refusals);
}

function createTlsReader(refusals: Cache<TlsFile>): TlsReader {
  const forFile = createRoundsBudget();
  const results = new Map<string, Promise<TlsFile>>();
  // One file after another: several at once could share the budget in such a way that none can be read completely.
  const lock = createKeyedLock();

  return {
    async read({ value }) {
      const bytes = value.expose();
      const digest = createHash('sha256').update(bytes).digest('base64');
      const known = refusals.get(digest);
      if (known !== undefined) {
        return known;
      }
      const result = results.get(digest) ?? readFile(value.exposeText(), bytes, digest);
      results.set(digest, result);
      return await result;
    },
  };

  async function readFile(text: string, bytes: Uint8Array, digest: string): Promise<TlsFile> {
    const blocks = readPem(text);
    if (blocks.length === 0) {
      return await lock.withLock('pfx', () => readPfxFile(bytes, digest));
    }
    // If there are several keys, the driver uses the last one.
    const key = blocks.findLast(({ label }) => label.endsWith('PRIVATE KEY'));
    return {
      certificates: blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => der),
      key: key?.der,
      isLocked: key?.isLocked ?? false,
      takesTooLong: false,
    };
  }

  async function readPfxFile(bytes: Uint8Array, digest: string): Promise<TlsFile> {
    // Loaded lazily: it costs megabytes of memory, and few classes have PFX files.
    const { readPfx } = await import('./pfx.ts');
    const rounds = forFile();
    const pfx = await readPfx(bytes, rounds);
    if (pfx !== undefined) {
      return { ...NOTHING, certificates: pfx.certificates, key: pfx.keys.at(-1) };
    }
    const result = rounds.lacked === undefined ? NOTHING : TOO_LONG;
    // If other files used up the budget, this one may be readable next time.
    if (rounds.lacked !== 'mount') {
      refusals.set(digest, result);
    }
    return result;
  }
}
