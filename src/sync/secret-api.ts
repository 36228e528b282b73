import type { SecretBytes } from '../model/secret-bytes.ts';
import type { ObjectRef } from '../model/kube-objects.ts';

export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** A Kubernetes Secret as read from the cluster. */
export interface StoredSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly isImmutable: boolean;
  /** Has a deletion timestamp. */
  readonly isTerminating: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, SecretBytes>;
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

/** All fields that one manager applies. Fields that it applied before and that are missing here are removed, unless another manager has them too. */
export interface AppliedSecret {
  /** Apply only if the Secret has not changed since it was read. */
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly type?: string;
  readonly isImmutable?: boolean;
  readonly labels?: ReadonlyMap<string, string>;
  readonly annotations?: ReadonlyMap<string, string>;
  readonly data?: ReadonlyMap<string, SecretBytes>;
  readonly owners?: readonly ObjectRef[];
}

/** `changed`: the Secret has changed since it was read (409); read it again. */
export type WriteOutcome = 'written' | 'changed';

/** The Secret as it is after the write. */
export type Written = StoredSecret | Extract<WriteOutcome, 'changed'>;

/** Reads and writes Secrets through the API server. All: @throws ProviderError KubernetesUnavailable, SecretRefused (a retry does not help), or the signal's reason */
export interface SecretApi {
  /** @returns undefined if it does not exist */
  read(secret: SecretName, signal: AbortSignal): Promise<StoredSecret | undefined>;
  /** Fails if the Secret exists. A create leaves the fields with the operation Update instead of Apply: call `claim` next. */
  create(secret: SecretName, manager: string, fields: AppliedSecret, signal: AbortSignal): Promise<Written>;
  /**
   * Turns the manager's operation Update into Apply, so that a later apply removes fields that are no longer named. Changes nothing else, and does nothing
   * if the Secret has changed since it was read.
   */
  claim(secret: SecretName, manager: string, read: StoredSecret, signal: AbortSignal): Promise<Written>;
  /** Forced server-side apply. With a `uid` it never creates a Secret. */
  apply(secret: SecretName, manager: string, fields: AppliedSecret, signal: AbortSignal): Promise<Written>;
  /** Deletes the Secret if it has not changed since it was read. Succeeds if it is already deleted. */
  remove(
    secret: SecretName,
    read: Pick<StoredSecret, 'uid' | 'resourceVersion'>,
    signal: AbortSignal,
  ): Promise<WriteOutcome>;
}
