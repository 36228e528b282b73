import type { ProviderError } from './errors.ts';
import type { ObjectSpec } from './mount-spec.ts';
import type { SecretBytes } from './secret-bytes.ts';

/** The value of an object, as a store returned it. */
export interface FetchedObject {
  /** VersionId, or a parameter's version number in decimal. */
  readonly version: string;
  readonly value: SecretBytes;
  /** Milliseconds on the monotonic clock: when the request was sent. The value was current then or later. */
  readonly confirmedAt: number;
}

/** Each object, or why it could not be fetched. */
export type FetchedObjects = ReadonlyMap<ObjectSpec, FetchedObject | ProviderError>;
