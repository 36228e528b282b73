import type { ObjectRef } from '../spec/kube-objects.ts';

/** Kinds that can be rolled. */
export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

/** A Deployment, StatefulSet or DaemonSet. */
export interface Workload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** Of the workload itself. */
  readonly annotations: ReadonlyMap<string, string>;
  /** Of its pods: a change here rolls it. */
  readonly templateAnnotations: ReadonlyMap<string, string>;
  /** `volumeAttributes` of its pods' Secrets Store volumes, by the volume's name. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface WorkloadPatch {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly templateAnnotations?: Readonly<Record<string, string>>;
}

/** The API server's workloads. All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface WorkloadApi {
  /**
   * The workload that makes the pods which have this owner: a ReplicaSet's Deployment, or the owner itself.
   * @returns undefined for owners of another kind, and for what is gone
   */
  workloadOf(namespace: string, owner: ObjectRef, signal: AbortSignal): Promise<Workload | undefined>;
  /** @returns `changed` where it is no longer the one that was read (409) */
  patch(workload: Workload, patch: WorkloadPatch, signal: AbortSignal): Promise<'written' | 'changed'>;
}
