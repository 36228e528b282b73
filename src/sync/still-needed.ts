import { ProviderError } from '../model/errors.ts';
import { CLASS_ATTRIBUTE, type NodePod, type ObjectRef, type ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { parseSecretObjects } from '../class/parse-secret-objects.ts';
import type { SecretPolicy } from '../class/secret-policy.ts';

/*
 * Whether an owner still needs a Secret, when one of its pods has gone. Pods of a StatefulSet that goes over to another class have one owner, and may have a
 * Secret in common.
 */

export interface StillNeededDeps {
  /** Absent: the default one. */
  readonly policy?: SecretPolicy;
  /** Of all nodes. @throws ProviderError */
  podsOf(namespace: string, owner: ObjectRef, signal: AbortSignal): Promise<readonly NodePod[]>;
  /** @throws ProviderError, ClassMissing where there is none */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
}

/** Names of the classes that the owner's other pods mount. @throws ProviderError */
export async function classesOfOthers(
  pod: PodRef,
  owner: ObjectRef,
  { podsOf }: StillNeededDeps,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const pods = await podsOf(pod.namespace, owner, signal);
  const others = pods.filter(({ ref, hasEnded }) => ref.uid !== pod.uid && !hasEnded);
  const volumes = others.flatMap((other) => [...other.volumes.values()]);
  return new Set(volumes.flatMap((attributes) => attributes.get(CLASS_ATTRIBUTE) ?? []));
}

/** Whether any of the classes may ask for the Secret. @throws ProviderError */
export async function isAskedFor(
  secretName: string,
  namespace: string,
  classNames: ReadonlySet<string>,
  { classOf, policy }: StillNeededDeps,
  signal: AbortSignal,
): Promise<boolean> {
  const answers = await Promise.all(
    Array.from(classNames, async (className) => {
      try {
        const { secrets, problems } = parseSecretObjects(
          await classOf(namespace, className, signal),
          undefined,
          policy,
        );
        // What cannot be read does not say that it asks for no such Secret.
        return problems.length > 0 || secrets.some(({ name }) => name === secretName);
      } catch (error) {
        if (error instanceof ProviderError && error.reason === 'ClassMissing') {
          return true;
        }
        throw error;
      }
    }),
  );
  return answers.includes(true);
}
