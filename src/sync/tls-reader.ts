import { createHash } from 'node:crypto';
import { createKeyedLock } from '../concurrency/keyed-lock.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import { readPem } from './pem.ts';
import { createRoundsBudget } from './rounds.ts';

/** What there is of use in a file, in DER. */
export interface TlsFile {
  readonly certificates: readonly Uint8Array[];
  readonly key: Uint8Array | undefined;
  /** There is a key, under a password. */
  readonly isLocked: boolean;
  /** It is a PFX that was not read to its end, for the rounds that it would take. */
  readonly takesTooLong: boolean;
}

/** Reads the files of one sync of a mount, each once, however many Secrets are made of it. */
export interface TlsReader {
  read(file: PlannedFile): Promise<TlsFile>;
}

/** Files of which nothing will ever be read, by the digest of their bytes. */
export type TlsRefusals = Map<string, TlsFile>;

const MAX_REFUSALS = 1000;
const NOTHING: TlsFile = { certificates: [], key: undefined, isLocked: false, takesTooLong: false };
const TOO_LONG: TlsFile = { ...NOTHING, takesTooLong: true };

/** @param refusals kept from one sync to the next, so that such a file costs nothing until it changes */
export function createTlsReader(refusals: TlsRefusals = new Map()): TlsReader {
  const forFile = createRoundsBudget();
  const results = new Map<string, Promise<TlsFile>>();
  // One after another: several at once could each take a part of the rounds, and none be read to its end.
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
    // Of several keys the driver takes the last.
    const key = blocks.findLast(({ label }) => label.endsWith('PRIVATE KEY'));
    return {
      certificates: blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => der),
      key: key?.der,
      isLocked: key?.isLocked ?? false,
      takesTooLong: false,
    };
  }

  async function readPfxFile(bytes: Uint8Array, digest: string): Promise<TlsFile> {
    // Loaded where it is needed: it costs megabytes, and few classes have PFX files.
    const { readPfx } = await import('./pfx.ts');
    const rounds = forFile();
    const pfx = await readPfx(bytes, rounds);
    if (pfx !== undefined) {
      return { ...NOTHING, certificates: pfx.certificates, key: pfx.keys.at(-1) };
    }
    const why = rounds.lacked === undefined ? NOTHING : TOO_LONG;
    // Where others took the rounds, it may be read once these are Secrets.
    if (rounds.lacked !== 'mount') {
      refuse(digest, why);
    }
    return why;
  }

  function refuse(digest: string, why: TlsFile): void {
    const [oldest] = refusals.keys();
    if (refusals.size >= MAX_REFUSALS && oldest !== undefined) {
      refusals.delete(oldest);
    }
    refusals.set(digest, why);
  }
}
