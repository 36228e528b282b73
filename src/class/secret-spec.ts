import type { Problem } from '../model/mount-spec.ts';

/** One entry of the class's `secretObjects`, checked: a Kubernetes Secret to be. */
export interface SecretSpec {
  readonly name: string;
  readonly type: string;
  readonly isImmutable: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly keys: readonly SecretKey[];
  /** Every file that `keys` does not name is a key too, called as the file. */
  readonly takesAllFiles: boolean;
}

export interface SecretKey {
  readonly key: string;
  /** File inside the volume. */
  readonly file: string;
}

/** Where in a class, from its root. */
export type ClassPath = readonly (string | number)[];

export interface SecretProblem extends Problem {
  readonly path: ClassPath;
  /** The operator's settings can allow it. */
  readonly isOfPolicy?: true;
}

/** Annotations of classes: `"true"` switches them on. */
export const SYNC_ALL_KEYS = 'aws-secrets-csi/sync-all-keys';
export const SYNC_IMMUTABLE = 'aws-secrets-csi/sync-immutable';

/** Annotation of Secrets: when AWS said that these are the values, in RFC 3339. */
export const AS_OF = 'aws-secrets-csi/as-of';
/** Annotation of Secrets: digest of the names of the fields that we say, so that one no longer said is found. */
export const FIELDS = 'aws-secrets-csi/fields';
