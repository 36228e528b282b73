import { isCredible } from '../model/clock-skew.ts';
import type { RefreshedMount, Verdict } from '../model/downstream.ts';
import { CLASS_ATTRIBUTE } from '../model/kube-objects.ts';
import { type MountedVersions, readMountedVersions, writeMountedVersions } from './mounted-versions.ts';
import { hashOf } from './versions-hash.ts';
import type { Workload, WorkloadPatch } from './workload-api.ts';

/** The workload's author sets it to `"true"` on the workload. */
const RESTART_ON_ROTATION = 'aws-secrets-csi/restart-on-rotation';
/** We set it on the workload: the versions that its pods mount. On the pod template, recording them would restart the pods. */
const MOUNTED_VERSIONS = 'aws-secrets-csi/mounted-versions';
/** We set it on the workload: when we last restarted it. */
const RESTARTED_AT = 'aws-secrets-csi/restarted-at';
/** We set it on the pod template: changing it restarts the pods. */
const VERSIONS = 'aws-secrets-csi/versions';

/**
 * Decides whether a workload must restart because of what one of its pods mounts. Every node decides on its own from the annotations of the workload:
 * if two nodes have different versions, those that AWS confirmed later win.
 * @param clock `now`: wall clock; `minIntervalMs`: least time between two restarts; both in milliseconds
 * @returns the change to write, which restarts the pods if it changes their template; otherwise the verdict
 */
export function planRestart(
  workload: Workload,
  mount: RefreshedMount,
  { now, minIntervalMs }: { readonly now: number; readonly minIntervalMs: number },
): { readonly patch: WorkloadPatch } | Verdict {
  const { volume } = mount;
  const className = mount.class.name;
  const wanted = workload.volumes.get(volume)?.get(CLASS_ATTRIBUTE);
  // A pod of an earlier revision, which mounts another class than the template does, says nothing about the new pods.
  if (workload.annotations.get(RESTART_ON_ROTATION) !== 'true' || wanted !== className) {
    return {};
  }
  const mounted = readMountedVersions(workload.annotations.get(MOUNTED_VERSIONS));
  const known = mounted.get(volume);
  // The annotation holds whole milliseconds, so both sides of the comparison below must.
  const seen: MountedVersions = {
    className,
    hash: hashOf(mount.versions),
    confirmedAt: Math.floor(mount.confirmedAt),
  };
  const next = new Map([...mounted, [volume, seen]]);
  if (known?.className !== className) {
    return { patch: { annotations: { [MOUNTED_VERSIONS]: writeMountedVersions(next) } } };
  }
  if (known.hash === seen.hash) {
    return {};
  }
  if (known.confirmedAt >= seen.confirmedAt && isCredible(known.confirmedAt, now)) {
    return { newerConfirmedAt: known.confirmedAt };
  }
  const restartedAt = Date.parse(workload.annotations.get(RESTARTED_AT) ?? '');
  const dueInMs = restartedAt + minIntervalMs - now;
  if (dueInMs > 0 && isCredible(restartedAt, now)) {
    return { dueInMs };
  }
  return {
    patch: {
      annotations: { [MOUNTED_VERSIONS]: writeMountedVersions(next), [RESTARTED_AT]: new Date(now).toISOString() },
      templateAnnotations: { [VERSIONS]: hashOf([...next].map(([name, { hash }]) => [name, hash])) },
    },
  };
}
