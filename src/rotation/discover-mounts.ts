import { CLASS_ATTRIBUTE, type NodePod, type ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { Volumes } from '../mount/volume/volumes.ts';
import { volumePath } from '../request/volume-path.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';

export interface DiscoverDeps {
  /** Pods of this node, which may be some seconds old. @throws ProviderError */
  listPods(signal: AbortSignal): Promise<readonly NodePod[]>;
  /** A pod as it is now; undefined where it is gone. @throws ProviderError */
  podOf(pod: PodRef, signal: AbortSignal): Promise<NodePod | undefined>;
  /** Absent where the driver writes: then a volume cannot be seen. */
  readonly volumes?: Volumes;
  /** The kubelet's root directory, which volumes are below. */
  readonly kubeletDir: string;
  /** @throws ProviderError */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
  /** Classes of other providers are none of ours. */
  readonly providerName: string;
}

export interface Discovered {
  /** Mounts not known before: this process is younger than they are, or the driver called another. */
  readonly found: readonly NodeMount[];
  /** Forgotten by now: their pods are gone, or at their end. */
  readonly gone: readonly NodeMount[];
}

/**
 * Looks over the node: which mounts there are, whoever made them known.
 * @throws ProviderError where the API server tells nothing; then all stays as it is
 */
export async function survey(mounts: NodeMounts, deps: DiscoverDeps, signal: AbortSignal): Promise<Discovered> {
  const pods = new Map((await deps.listPods(signal)).map((pod) => [pod.ref.uid, pod]));
  const gone: NodeMount[] = [];
  for (const mount of mounts.all()) {
    // A pod that has just started may be missing in the list.
    const pod = pods.get(mount.pod.uid) ?? (await deps.podOf(mount.pod, signal));
    if (pod === undefined || pod.hasEnded) {
      mounts.forget(mount.targetPath);
      gone.push(mount);
    } else {
      mount.nodePod = pod;
    }
  }
  return { gone, found: await findUnknown(mounts, pods, deps, signal) };
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
      // A class that cannot be read now is asked for again with the next survey.
      const found = await deps.classOf(pod.ref.namespace, name, signal).catch(() => undefined);
      return found?.provider === deps.providerName;
    }),
  );
  const found = await Promise.all(
    unknown
      .filter((_, index) => ours[index] === true)
      .map(async ({ pod, volume, attributes }) => {
        // Where a volume is says the pod alone: no object that others may write has a word in it.
        const targetPath = volumePath(deps.kubeletDir, pod.ref.uid, volume);
        const isThere = targetPath !== undefined && (await deps.volumes?.isFilled(targetPath)) !== false;
        // A Mount call may have come in between, and knows more.
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
