import { ProviderError } from '../model/errors.ts';
import type { NodePod, ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { MountCall } from '../request/parse-request.ts';
import type { NodeMount } from './node-mounts.ts';

export interface PresentCallDeps {
  /** @throws ProviderError */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
  /** @returns undefined where the pod is gone. @throws ProviderError */
  podOf(pod: PodRef, signal: AbortSignal): Promise<NodePod | undefined>;
}

/** What the driver would ask for a mount now, and the class it stands in. */
export interface PresentCall {
  readonly call: MountCall;
  /** Or why it cannot be read: then what it last said holds, as AWS may still be there. */
  readonly class: ProviderClass | ProviderError;
}

/**
 * The class as it is now, under what the pod puts over it: the same that the driver sends with its next call, if there ever is one.
 * @returns undefined where the pod is gone
 * @throws ProviderError ClassMissing, or KubernetesUnavailable where nothing is known from before
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
    // In the driver's order, so that equal classes are read once.
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
