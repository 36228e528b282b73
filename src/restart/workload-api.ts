import type { NodePod } from '../model/kube-objects.ts';

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
   * The workload that makes pods like this one: that of the owner it names, or the owner itself. What the pod says is not taken for true: the
   * workload's selector must match it, and its template have the same class in the volume.
   * @returns undefined where there is none
   */
  workloadOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<Workload | undefined>;
  /** @returns `changed` where it is no longer the one that was read (409) */
  patch(workload: Workload, patch: WorkloadPatch, signal: AbortSignal): Promise<'written' | 'changed'>;
}
