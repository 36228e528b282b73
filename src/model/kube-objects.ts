import type { PodRef } from './mount-spec.ts';

/*
 * Kubernetes objects, as far as we read them. `kube/` makes them of the API server's JSON; nobody past it sees that.
 */

/** The volume attribute by which a pod chooses its class; the driver sends it on with the class's parameters. */
export const CLASS_ATTRIBUTE = 'secretProviderClass';

/** An object and who it is: an owner, or one whose owner is looked for. */
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
  /** Its controller as the pod says, which is its author's word; or the pod itself where it has none that pods are looked after by. */
  readonly owner: ObjectRef;
  /** `volumeAttributes` of its Secrets Store volumes, by the volume's name. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** A SecretProviderClass. */
export interface ProviderClass {
  readonly namespace: string;
  readonly name: string;
  /** Whose class it is: the name of a provider's socket. */
  readonly provider: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** `spec.secretObjects` as it is: `parseSecretObjects` reads it. */
  readonly secretObjects: unknown;
}
