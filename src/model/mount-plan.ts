import type { SecretBytes } from './secret-bytes.ts';

/** A file of a volume. */
export interface PlannedFile {
  /** Relative to the volume. */
  readonly path: string;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly value: SecretBytes;
}

/** Result of a fetch: the files of the volume, and the version of each by its path. */
export interface MountPlan {
  readonly files: readonly PlannedFile[];
  readonly versions: ReadonlyMap<string, string>;
  /** Milliseconds on the monotonic clock: AWS confirmed each file then or later. */
  readonly confirmedAt: number;
}
