import type { SecretBytes } from './secret-bytes.ts';

/** A file of a volume. */
export interface PlannedFile {
  /** Relative to the volume. */
  readonly path: string;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly value: SecretBytes;
}

/** A file and the version it came from. */
export interface VersionedFile extends PlannedFile {
  readonly version: string;
}

/** Outcome of a fetch: the volume's files, and the version of each by its path. */
export interface MountPlan {
  readonly files: readonly PlannedFile[];
  readonly versions: ReadonlyMap<string, string>;
  /** Milliseconds on the monotonic clock: AWS said of each file, then or later, that this is it. */
  readonly confirmedAt: number;
}
