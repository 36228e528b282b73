import type { ProviderError } from '../../model/errors.ts';
import type { ObjectSource, ObjectSpec } from '../../model/mount-spec.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import type { Identity } from './identity.ts';

/** An object, and what to ask for to get it: that differs by region. */
export interface StoreRequest {
  readonly object: ObjectSpec;
  readonly source: ObjectSource;
}

/** What a store holds. */
export interface Found {
  /** VersionId, or a parameter's version number in decimal. */
  readonly version: string;
  readonly value: SecretBytes;
}

export type Answer = Found | ProviderError;

/** What came of each request. */
export type Answers = ReadonlyMap<StoreRequest, Answer>;

/** A service of one region. */
export interface Regional<Client> {
  readonly client: Client;
  readonly region: string;
  readonly limit: Limit;
}

/** Runs a call when the service has room for it. @throws the signal's reason when it aborts before that */
export type Limit = <Result>(call: () => Promise<Result>, signal: AbortSignal) => Promise<Result>;

/** A store of one region, asked as one identity. */
export interface StoreAccess<Client> extends Regional<Client> {
  readonly identity: Identity;
  /** What this identity was found not to be allowed. */
  readonly deniedActions: DeniedActions;
}

/** What an identity may do without: it saves calls where it is allowed. */
export type OptionalAction = 'secretsmanager:BatchGetSecretValue';

/** Of one identity. */
export interface DeniedActions {
  has(action: OptionalAction): boolean;
  add(action: OptionalAction): void;
}
