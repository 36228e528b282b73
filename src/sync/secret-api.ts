import type { SecretBytes } from '../model/secret-bytes.ts';
import type { ObjectRef } from '../model/kube-objects.ts';

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** The content of a Secret. */
export interface SecretContent {
  readonly type: string;
  readonly isImmutable: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, SecretBytes>;
}

/** A Kubernetes Secret as read from the cluster. */
export interface StoredSecret extends SecretName, SecretContent {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Has a deletion timestamp. */
  readonly isTerminating: boolean;
  readonly owners: readonly ObjectRef[];
  /** Field managers that have used server-side apply on it (`metadata.managedFields`, operation Apply). */
  readonly appliers: ReadonlySet<string>;
  /** `metadata.managedFields` of the API server. */
  readonly managedFields: readonly ManagedFields[];
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  /** A subresource such as `status`; absent for the object itself. */
  readonly subresource?: string;
}

/**
 * All fields that one manager applies. Fields that it applied before and that are missing here are removed, unless another manager has them too. With `uid` and
 * `resourceVersion` it is applied only if the Secret has not changed since it was read, and never creates one.
 */
export type AppliedSecret = SecretName &
  Partial<SecretContent & Pick<StoredSecret, 'uid' | 'resourceVersion' | 'owners'>>;

/** The Secret as it is after the write. `changed`: it has changed since it was read (409); read it again. */
export type Written = StoredSecret | 'changed';

/** Reads and writes Secrets through the API server. All: @throws ProviderError KubernetesUnavailable, SecretRefused (a retry does not help), or the signal's reason */
export interface SecretApi {
  /** @returns undefined if it does not exist */
  read(secret: SecretName, signal: AbortSignal): Promise<StoredSecret | undefined>;
  /** Fails if the Secret exists. A create leaves the fields with the operation Update instead of Apply: call `claim` next. */
  create(secret: AppliedSecret, manager: string, signal: AbortSignal): Promise<Written>;
  /**
   * Turns the manager's operation Update into Apply, so that a later apply removes fields that are no longer named. Changes nothing else, and does nothing
   * if the Secret has changed since it was read.
   */
  claim(read: StoredSecret, manager: string, signal: AbortSignal): Promise<Written>;
  /** Forced server-side apply. */
  apply(secret: AppliedSecret, manager: string, signal: AbortSignal): Promise<Written>;
  /** Deletes the Secret, unless it has changed since it was read or is already deleted. */
  remove(read: StoredSecret, signal: AbortSignal): Promise<void>;
}
