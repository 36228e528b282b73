import { CLASS_ATTRIBUTE, type MountStatus, type NodePod, type ProviderClass } from '../spec/kube-objects.ts';
import type { PodRef } from '../spec/mount-spec.ts';
import { type NodeMount, type NodeMounts, volumeOf } from './node-mounts.ts';

export interface SurveyDeps {
  /** Pods of this node, which may be some seconds old. @throws ProviderError */
  listPods(signal: AbortSignal): Promise<readonly NodePod[]>;
  /** A pod as it is now; undefined where it is gone. @throws ProviderError */
  podOf(pod: PodRef, signal: AbortSignal): Promise<NodePod | undefined>;
  /** The driver's notes on this node's mounts. @throws ProviderError */
  listStatuses(signal: AbortSignal): Promise<readonly MountStatus[]>;
  /** @throws ProviderError */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
  /** Classes of other providers are none of ours. */
  readonly providerName: string;
}

export interface Survey {
  /** Mounts not known before: this process is younger than they are, or the driver called another. */
  readonly found: readonly NodeMount[];
  /** Forgotten by now: their pods are gone, or at their end. */
  readonly gone: readonly NodeMount[];
}

/**
 * Looks over the node: which mounts there are, whoever made them known.
 * @throws ProviderError where the API server tells nothing; then all stays as it is
 */
export async function survey(mounts: NodeMounts, deps: SurveyDeps, signal: AbortSignal): Promise<Survey> {
  const pods = new Map((await deps.listPods(signal)).map((pod) => [pod.ref.uid, pod]));
  const gone: NodeMount[] = [];
  for (const mount of mounts.all()) {
    // A pod that has just started may be missing in the list.
    const pod = pods.get(mount.pod.uid) ?? (await deps.podOf(mount.pod, signal));
    if (pod === undefined || pod.isOver) {
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
  deps: SurveyDeps,
  signal: AbortSignal,
): Promise<readonly NodeMount[]> {
  const known = new Set([...mounts.all()].map(({ pod, volume }) => keyOf(pod.uid, volume)));
  const unknown = [...pods.values()]
    .filter(({ isOver }) => !isOver)
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
  const volumes = unknown.filter((_, index) => ours[index] === true);
  if (volumes.length === 0) {
    return [];
  }
  const statuses = (await deps.listStatuses(signal)).filter(({ isMounted }) => isMounted);
  return volumes.flatMap(({ pod, volume, attributes }) => {
    const status = statuses.find(
      ({ namespace, podName, targetPath }) =>
        namespace === pod.ref.namespace && podName === pod.ref.name && volumeOf(targetPath, pod.ref) === volume,
    );
    // A Mount call may have come in between, and knows more.
    if (status === undefined || mounts.get(status.targetPath) !== undefined) {
      return [];
    }
    const { targetPath, versions: noted } = status;
    const className = attributes.get(CLASS_ATTRIBUTE) ?? '';
    return [mounts.learn({ targetPath, pod: pod.ref, volume, className, noted, nodePod: pod })];
  });
}

function keyOf(uid: string, volume: string): string {
  return `${uid}/${volume}`;
}
