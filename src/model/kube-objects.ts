import type { PodRef } from './mount-spec.ts';

/*
 * The parts of Kubernetes objects that are used. `kube/` converts the API server's JSON into them.
 */

/** The volume attribute with the name of the class; the driver sends it along with the parameters of the class. */
export const CLASS_ATTRIBUTE = 'secretProviderClass';

/** A reference to an object with its uid. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** A pod of this node. */
export interface NodePod {
  readonly ref: PodRef;
  /** All its containers have ended, and none starts again. */
  readonly hasEnded: boolean;
  /** It is being deleted: its containers run until they exit or the grace period ends, and none starts again. */
  readonly isTerminating: boolean;
  readonly labels: ReadonlyMap<string, string>;
  /** The controller that the pod names, which is not verified; or the pod itself if it names none of a known kind. */
  readonly owner: ObjectRef;
  /** `volumeAttributes` of its Secrets Store volumes, by the volume's name. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** A SecretProviderClass. */
export interface ProviderClass {
  readonly namespace: string;
  readonly name: string;
  /** `spec.provider`: the name of the socket of the provider that serves it. */
  readonly provider: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** `spec.secretObjects`, unparsed. */
  readonly secretObjects: unknown;
}

/** An event that `kubectl describe pod` shows. */
export interface PodEvent {
  readonly pod: PodRef;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}
