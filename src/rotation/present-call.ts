import { ProviderError } from '../model/errors.ts';
import type { ProviderClass } from '../model/kube-objects.ts';
import type { MountCall } from '../request/parse-request.ts';
import type { NodeMount } from './node-mounts.ts';
import type { PollDeps } from './rotation-deps.ts';

/** The call that the driver would make for a mount now, and the class of the mount. */
export interface PresentCall {
  readonly call: MountCall;
  /** An error if the class cannot be read: the last known parameters are used then, because AWS may still be reachable. */
  readonly class: ProviderClass | ProviderError;
}

/**
 * Merges the parameters of the class with the attributes of the pod, which take precedence, as the driver does for its next call.
 * @returns undefined if the pod no longer exists, or if its class now names another provider
 * @throws ProviderError ClassMissing, or KubernetesUnavailable if no earlier parameters are known
 */
export async function presentCall(
  mount: NodeMount,
  deps: Pick<PollDeps, 'classOf' | 'podOf' | 'providerName'>,
  signal: AbortSignal,
): Promise<PresentCall | undefined> {
  const { targetPath, pod, tokens, mode } = mount;

  function callWith(parameters: ReadonlyMap<string, string>): MountCall {
    return { targetPath, pod, tokens, mode, parameters };
  }

  try {
    const nodePod = mount.nodePod ?? (await deps.podOf(pod, signal));
    if (nodePod === undefined) {
      return undefined;
    }
    mount.podRead(nodePod);
    const providerClass = await deps.classOf(pod.namespace, mount.className, signal);
    if (providerClass.provider !== deps.providerName) {
      return undefined;
    }
    const merged = new Map([...providerClass.parameters, ...(nodePod.volumes.get(mount.volume) ?? [])]);
    // Sorted as the driver sorts them, so that the cache of parsed classes finds equal ones.
    const parameters = new Map([...merged].toSorted(([one], [other]) => (one < other ? -1 : 1)));
    mount.classRead(parameters);
    return { call: callWith(parameters), class: providerClass };
  } catch (error) {
    const { parameters } = mount;
    if (parameters === undefined || !(error instanceof ProviderError) || error.reason !== 'KubernetesUnavailable') {
      throw error;
    }
    return { call: callWith(parameters), class: error };
  }
}
