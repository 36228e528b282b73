import type { Problem } from '../model/mount-spec.ts';

/** One checked entry of `secretObjects`: the specification of a Kubernetes Secret. */
export interface SecretSpec {
  readonly name: string;
  readonly type: string;
  readonly isImmutable: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly keys: readonly SecretKey[];
  /** Every file that `keys` does not name becomes a key with the file's name. */
  readonly takesAllFiles: boolean;
}

export interface SecretKey {
  readonly key: string;
  /** File inside the volume. */
  readonly file: string;
}

/** Path in the class, from its root. */
export type ClassPath = readonly (string | number)[];

export interface SecretProblem extends Problem {
  readonly path: ClassPath;
  /** Whether the operator's settings could allow it. */
  readonly isOfPolicy?: true;
}

/** Reports a problem and its location. `isOfPolicy`: the operator's settings could allow it. */
export type SecretReport = (message: string, path: ClassPath, isOfPolicy?: true) => void;

/** Whether a value is a map in JSON. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Annotations of classes; `"true"` enables them. */
export const SYNC_ALL_KEYS = 'aws-secrets-csi/sync-all-keys';
export const SYNC_IMMUTABLE = 'aws-secrets-csi/sync-immutable';

/** Annotation of Secrets: when AWS confirmed the values, in RFC 3339. */
export const AS_OF = 'aws-secrets-csi/as-of';
/** Annotation of Secrets: digest of the names of the fields that we write, which detects fields that must be removed. */
export const FIELDS = 'aws-secrets-csi/fields';
