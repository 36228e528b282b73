import { ProviderError } from '../model/errors.ts';
import type { NodePod, ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { MountCall } from '../request/parse-request.ts';
import type { NodeMount } from './node-mounts.ts';

export interface PresentCallDeps {
  /** @throws ProviderError */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
  /** @returns undefined if the pod no longer exists. @throws ProviderError */
  podOf(pod: PodRef, signal: AbortSignal): Promise<NodePod | undefined>;
}

/** The call that the driver would make for a mount now, and the class of the mount. */
export interface PresentCall {
  readonly call: MountCall;
  /** An error if the class cannot be read: the last known parameters are used then, because AWS may still be reachable. */
  readonly class: ProviderClass | ProviderError;
}

/**
 * Merges the parameters of the class with the attributes of the pod, which take precedence, as the driver does for its next call.
 * @returns undefined if the pod no longer exists
 * @throws ProviderError ClassMissing, or KubernetesUnavailable if no earlier parameters are known
 */
export async function presentCall(
  mount: NodeMount,
  deps: PresentCallDeps,
  signal: AbortSignal,
): Promise<PresentCall | undefined> {
  const { targetPath, pod, tokens, mode } = mount;
  try {
    const nodePod = mount.nodePod ?? (await deps.podOf(pod, signal));
    if (nodePod === undefined) {
      return undefined;
    }
    mount.nodePod = nodePod;
    const providerClass = await deps.classOf(pod.namespace, mount.className, signal);
    const merged = new Map([...providerClass.parameters, ...(nodePod.volumes.get(mount.volume) ?? [])]);
    // Sorted as the driver sorts them, so that the cache of parsed classes finds equal ones.
    mount.parameters = new Map([...merged].toSorted(([one], [other]) => (one < other ? -1 : 1)));
    return { call: { targetPath, pod, tokens, mode, parameters: mount.parameters }, class: providerClass };
  } catch (error) {
    if (
      mount.parameters === undefined ||
      !(error instanceof ProviderError) ||
      error.reason !== 'KubernetesUnavailable'
    ) {
      throw error;
    }
    return { call: { targetPath, pod, tokens, mode, parameters: mount.parameters }, class: error };
  }
}
