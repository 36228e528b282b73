import type { ProviderError } from '../../model/errors.ts';
import type { ObjectSource, ObjectSpec } from '../../model/mount-spec.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import type { Identity } from './identity.ts';

/** A request for an object. Its source differs by region. */
export interface StoreRequest {
  readonly object: ObjectSpec;
  readonly source: ObjectSource;
}

/** A value with its version. */
export interface Found {
  /** VersionId, or a parameter's version number in decimal. */
  readonly version: string;
  readonly value: SecretBytes;
}

export type Answer = Found | ProviderError;

/** A value or an error for each request. */
export type Answers = ReadonlyMap<StoreRequest, Answer>;

/** A service of one region. */
export interface Regional<Client> {
  readonly client: Client;
  readonly region: string;
  readonly limit: Limit;
}

/** Runs a call as soon as a slot is free. @throws the signal's reason if it aborts before that */
export type Limit = <Result>(call: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** A store of one region with the permissions of one identity. */
export interface StoreAccess<Client> extends Regional<Client> {
  readonly identity: Identity;
  /** Actions that AWS has denied to this identity. */
  readonly deniedActions: DeniedActions;
}

/** An action that saves calls if it is allowed, but is not required. */
export type OptionalAction = 'secretsmanager:BatchGetSecretValue';

/** Denied actions of one identity. */
export interface DeniedActions {
  has(action: OptionalAction): boolean;
  add(action: OptionalAction): void;
}
