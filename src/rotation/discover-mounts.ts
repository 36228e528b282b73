import { CLASS_ATTRIBUTE, type NodePod, type ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { Volumes } from '../mount/volume/volumes.ts';
import { volumePath } from '../request/volume-path.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';

export interface DiscoverDeps {
  /** Lists the pods of this node; the list may be some seconds old. @throws ProviderError */
  listPods(signal: AbortSignal): Promise<readonly NodePod[]>;
  /** Reads a pod as it is now. @returns undefined if it no longer exists. @throws ProviderError */
  podOf(pod: PodRef, signal: AbortSignal): Promise<NodePod | undefined>;
  /** Absent if the driver writes the files: the provider cannot read volumes then. */
  readonly volumes?: Volumes;
  /** The kubelet's root directory, which contains the volumes. */
  readonly kubeletDir: string;
  /** @throws ProviderError */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
  /** Mounts of classes with another `provider` are ignored. */
  readonly providerName: string;
}

export interface Discovered {
  /** Mounts that were not known before: they are older than this process. */
  readonly found: readonly NodeMount[];
  /** Mounts that were removed from the list, because their pods have ended or no longer exist. */
  readonly removed: readonly NodeMount[];
}

/**
 * Compares the known mounts with the pods of the node: adds mounts that are missing, and removes those whose pods have ended.
 * @throws ProviderError if the API server does not answer
 */
export async function discoverMounts(mounts: NodeMounts, deps: DiscoverDeps, signal: AbortSignal): Promise<Discovered> {
  const pods = new Map((await deps.listPods(signal)).map((pod) => [pod.ref.uid, pod]));
  const removed: NodeMount[] = [];
  for (const mount of mounts.all()) {
    // The list may be too old to contain a pod that has just started.
    const pod = pods.get(mount.pod.uid) ?? (await deps.podOf(mount.pod, signal));
    if (pod === undefined || pod.hasEnded) {
      mounts.forget(mount.targetPath);
      removed.push(mount);
    } else {
      mount.nodePod = pod;
    }
  }
  return { removed, found: await findUnknown(mounts, pods, deps, signal) };
}

async function findUnknown(
  mounts: NodeMounts,
  pods: ReadonlyMap<string, NodePod>,
  deps: DiscoverDeps,
  signal: AbortSignal,
): Promise<readonly NodeMount[]> {
  const known = new Set([...mounts.all()].map(({ pod, volume }) => keyOf(pod.uid, volume)));
  const unknown = [...pods.values()]
    .filter(({ hasEnded }) => !hasEnded)
    .flatMap((pod) => [...pod.volumes].map(([volume, attributes]) => ({ pod, volume, attributes })))
    .filter(({ pod, volume }) => !known.has(keyOf(pod.ref.uid, volume)));
  const ours = await Promise.all(
    unknown.map(async ({ pod, attributes }) => {
      const name = attributes.get(CLASS_ATTRIBUTE) ?? '';
      // If the class cannot be read now, the next discovery tries again.
      const found = await deps.classOf(pod.ref.namespace, name, signal).catch(() => undefined);
      return found?.provider === deps.providerName;
    }),
  );
  const found = await Promise.all(
    unknown
      .filter((_, index) => ours[index] === true)
      .map(async ({ pod, volume, attributes }) => {
        // The path comes from the pod's uid and the volume's name only: tenants may write other objects, such as the pod status of the driver.
        const targetPath = volumePath(deps.kubeletDir, pod.ref.uid, volume);
        const isThere = targetPath !== undefined && (await deps.volumes?.isFilled(targetPath)) !== false;
        // A Mount call may have added the mount meanwhile, with its tokens.
        if (!isThere || mounts.get(targetPath) !== undefined) {
          return [];
        }
        return [
          mounts.learn({
            targetPath,
            pod: pod.ref,
            volume,
            className: attributes.get(CLASS_ATTRIBUTE) ?? '',
            nodePod: pod,
          }),
        ];
      }),
  );
  return found.flat();
}

function keyOf(uid: string, volume: string): string {
  return `${uid}/${volume}`;
}
