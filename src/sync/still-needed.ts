import { ProviderError } from '../model/errors.ts';
import { CLASS_ATTRIBUTE, type NodePod, type ObjectRef, type ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { parseSecretObjects } from '../class/parse-secret-objects.ts';
import type { SecretPolicy } from '../class/secret-policy.ts';

/*
 * Finds out whether an owner still needs a Secret after one of its pods was deleted. While a StatefulSet changes to another class, its old and new pods
 * have the same owner, and both classes may name the same Secret.
 */

export interface StillNeededDeps {
  /** Absent: the default policy. */
  readonly policy?: SecretPolicy;
  /** Lists the owner's pods on all nodes. @throws ProviderError */
  podsOf(namespace: string, owner: ObjectRef, signal: AbortSignal): Promise<readonly NodePod[]>;
  /** @throws ProviderError, ClassMissing if it does not exist */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
}

/** A mount whose pod was deleted. */
export interface DroppedMount {
  readonly pod: PodRef;
  readonly owner: ObjectRef;
  readonly className: string;
}

/**
 * @returns a function that tells whether another pod of the owner may need the Secret of this name; it lists the pods once
 * @throws ProviderError
 */
export function needsOfOtherPods(
  { pod, owner, className }: DroppedMount,
  deps: StillNeededDeps,
  signal: AbortSignal,
): (secretName: string) => Promise<boolean> {
  let classNames: Promise<ReadonlySet<string>> | undefined;
  return async (secretName) => {
    classNames ??= classesOfOthers(pod, owner, deps, signal);
    if ((await classNames).has(className)) {
      return true;
    }
    const asked = Array.from(await classNames, (other) => namesSecret(secretName, pod.namespace, other));
    return (await Promise.all(asked)).includes(true);
  };

  async function namesSecret(secretName: string, namespace: string, other: string): Promise<boolean> {
    try {
      const providerClass = await deps.classOf(namespace, other, signal);
      const { secrets, problems } = parseSecretObjects(providerClass, undefined, deps.policy);
      // A class with an invalid entry may still ask for the Secret.
      return problems.length > 0 || secrets.some(({ name }) => name === secretName);
    } catch (error) {
      if (error instanceof ProviderError && error.reason === 'ClassMissing') {
        return true;
      }
      throw error;
    }
  }
}

/** Names of the classes that the owner's other pods mount. @throws ProviderError */
async function classesOfOthers(
  pod: PodRef,
  owner: ObjectRef,
  { podsOf }: StillNeededDeps,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const pods = await podsOf(pod.namespace, owner, signal);
  // The containers of a terminating pod do not start again, so none reads a Secret into its environment any more.
  const others = pods.filter(({ ref, hasEnded, isTerminating }) => ref.uid !== pod.uid && !hasEnded && !isTerminating);
  const volumes = others.flatMap((other) => [...other.volumes.values()]);
  return new Set(volumes.flatMap((attributes) => attributes.get(CLASS_ATTRIBUTE) ?? []));
}
