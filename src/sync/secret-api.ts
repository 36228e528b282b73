import type { SecretBytes } from '../model/secret-bytes.ts';
import type { ObjectRef } from '../model/kube-objects.ts';

/** Whose Secret, and which. */
export interface SecretName {
  readonly namespace: string;
  readonly name: string;
}

/** A Kubernetes Secret as it stands in the cluster. */
export interface StoredSecret {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly type: string;
  readonly isImmutable: boolean;
  /** Being deleted already. */
  readonly isTerminating: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, SecretBytes>;
  readonly owners: readonly ObjectRef[];
  /** Field managers that have applied to it (`metadata.managedFields`, operation Apply). */
  readonly appliers: ReadonlySet<string>;
  /** Who says which field, as the API server has it (`metadata.managedFields`). */
  readonly managedFields: readonly ManagedFields[];
}

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  /** Of a part such as the status; absent for the whole. */
  readonly subresource?: string;
}

/** What one field manager says of a Secret; fields it said before and no longer says go, unless another says them too. */
export interface AppliedSecret {
  /** Only apply if the Secret is still as it was read. */
  readonly resourceVersion?: string;
  readonly uid?: string;
  readonly type?: string;
  readonly isImmutable?: boolean;
  readonly labels?: ReadonlyMap<string, string>;
  readonly annotations?: ReadonlyMap<string, string>;
  readonly data?: ReadonlyMap<string, SecretBytes>;
  readonly owners?: readonly ObjectRef[];
}

/** `changed`: somebody else was there in between (409), so look again. */
export type WriteOutcome = 'written' | 'changed';

/** The Secret as it is after the write. */
export type Written = StoredSecret | Extract<WriteOutcome, 'changed'>;

/** The API server's Secrets, as sync needs them. All: @throws ProviderError KubernetesUnavailable, SecretRefused (it says no for good), or the signal's reason */
export interface SecretApi {
  /** @returns undefined where there is none */
  read(secret: SecretName, signal: AbortSignal): Promise<StoredSecret | undefined>;
  /** Makes one where there is none. The manager has then not applied its fields, but set them: `claim` is to follow. */
  create(secret: SecretName, manager: string, fields: AppliedSecret, signal: AbortSignal): Promise<Written>;
  /**
   * Counts what the manager has set as applied by it, so that what it says no more goes with a later apply. Changes nothing else; only if
   * the Secret is still as it was read.
   */
  claim(secret: SecretName, manager: string, read: StoredSecret, signal: AbortSignal): Promise<Written>;
  /** Server-side apply, forced. It makes no Secret where `uid` is given. */
  apply(secret: SecretName, manager: string, fields: AppliedSecret, signal: AbortSignal): Promise<Written>;
  /** Only if it is still the one that was read; that it has gone is as good. */
  remove(
    secret: SecretName,
    read: Pick<StoredSecret, 'uid' | 'resourceVersion'>,
    signal: AbortSignal,
  ): Promise<WriteOutcome>;
}
