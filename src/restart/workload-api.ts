import type { NodePod } from '../model/kube-objects.ts';

/** Kinds that can be restarted. */
export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet';

export interface Workload {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** Annotations of the workload itself, not of its pods. */
  readonly annotations: ReadonlyMap<string, string>;
  /** `volumeAttributes` of its pods' Secrets Store volumes, by the volume's name. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface WorkloadPatch {
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of its pod template: changing one restarts the pods. */
  readonly templateAnnotations?: Readonly<Record<string, string>>;
}

/** Reads and changes workloads through the API server. All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface WorkloadApi {
  /**
   * Finds the workload that creates pods like this one: the owner that the pod names, or the Deployment of a ReplicaSet. The pod's word is not trusted:
   * the workload's selector must match the pod, and its template must have the same class in the volume.
   * @returns undefined if there is none
   */
  workloadOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<Workload | undefined>;
  /** @returns `changed` if the workload has changed since it was read (409) */
  patch(workload: Workload, patch: WorkloadPatch, signal: AbortSignal): Promise<'written' | 'changed'>;
}
