import { CLASS_ATTRIBUTE, type NodePod } from '../model/kube-objects.ts';
import { volumePath } from '../request/volume-path.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import type { RotationDeps } from './rotation-deps.ts';

export type DiscoverDeps = Pick<
  RotationDeps,
  'listPods' | 'podOf' | 'classOf' | 'providerName' | 'kubeletDir' | 'volumes'
>;

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
      mount.podRead(pod);
    }
  }
  const found = await Promise.all(
    [...pods.values()].flatMap((pod) =>
      pod.hasEnded
        ? []
        : [...pod.volumes].map(([volume, attributes]) =>
            learnUnknown({ pod, volume, attributes }, mounts, deps, signal),
          ),
    ),
  );
  return { removed, found: found.flatMap((mount) => mount ?? []) };
}

interface VolumeOfPod {
  readonly pod: NodePod;
  readonly volume: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** @returns undefined if the mount is known, has no files, or is not of this provider */
async function learnUnknown(
  { pod, volume, attributes }: VolumeOfPod,
  mounts: NodeMounts,
  deps: DiscoverDeps,
  signal: AbortSignal,
): Promise<NodeMount | undefined> {
  // The path comes from the pod's uid and the volume's name only: tenants may write other objects, such as the pod status of the driver.
  const targetPath = volumePath(deps.kubeletDir, pod.ref.uid, volume);
  if (targetPath === undefined || mounts.get(targetPath) !== undefined) {
    return undefined;
  }
  const className = attributes.get(CLASS_ATTRIBUTE) ?? '';
  // If the class cannot be read now, the next discovery retries.
  const providerClass = await deps.classOf(pod.ref.namespace, className, signal).catch(() => undefined);
  const isOurs = providerClass?.provider === deps.providerName && (await deps.volumes?.isFilled(targetPath)) !== false;
  // A Mount call may have added the mount meanwhile, with its tokens.
  return isOurs && mounts.get(targetPath) === undefined
    ? mounts.learn({ targetPath, pod: pod.ref, volume, className, nodePod: pod })
    : undefined;
}
