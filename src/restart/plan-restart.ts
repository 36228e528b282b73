import { isCredible } from '../model/clock-skew.ts';
import { CLASS_ATTRIBUTE, type ProviderClass } from '../model/kube-objects.ts';
import { type MountedVersions, readMountedVersions, writeMountedVersions } from './mounted-versions.ts';
import { hashOf } from './versions-hash.ts';
import type { Workload, WorkloadPatch } from './workload-api.ts';

/** What a pod of the workload mounts now. */
export interface Sighting {
  /** Name of the volume in the pod. */
  readonly volume: string;
  readonly class: Pick<ProviderClass, 'name'>;
  /** By file. */
  readonly versions: ReadonlyMap<string, string>;
  /** Wall clock in milliseconds: when AWS said that these are the versions. */
  readonly confirmedAt: number;
}

/** What to do about it: nothing, as another node knows better or for any other reason; remember it; restart the pods; or come again. */
export type RestartPlan =
  | { readonly kind: 'none' }
  | { readonly kind: 'newer elsewhere' }
  | { readonly kind: 'note' | 'roll'; readonly patch: WorkloadPatch }
  | { readonly kind: 'later'; readonly afterMs: number };

/** On the workload, by its author: `"true"`. */
export const RESTART_ON_ROTATION = 'aws-secrets-csi/restart-on-rotation';
/** On the workload, ours: what its pods mount. Not on the pods' template, where a first note would restart them. */
const MOUNTED_VERSIONS = 'aws-secrets-csi/mounted-versions';
/** On the workload, ours: when we restarted it last. */
const RESTARTED_AT = 'aws-secrets-csi/restarted-at';
/** On the pods' template, ours: its change is the restart. */
const VERSIONS = 'aws-secrets-csi/versions';

/**
 * Whether a workload has to be restarted for what one of its pods mounts. Every node decides for itself, by what stands on the workload: of two
 * that say different things the one that AWS told later is right.
 * @param clock `now`: wall clock; `minIntervalMs`: least time between two restarts; both in milliseconds
 */
export function planRestart(
  workload: Workload,
  sighting: Sighting,
  { now, minIntervalMs }: { readonly now: number; readonly minIntervalMs: number },
): RestartPlan {
  const { volume } = sighting;
  const className = sighting.class.name;
  const wanted = workload.volumes.get(volume)?.get(CLASS_ATTRIBUTE);
  // A pod that is still to be replaced, with another class than the new pods have, says nothing about those.
  if (workload.annotations.get(RESTART_ON_ROTATION) !== 'true' || wanted !== className) {
    return { kind: 'none' };
  }
  const mounted = readMountedVersions(workload.annotations.get(MOUNTED_VERSIONS));
  const known = mounted.get(volume);
  // As it is written, so that both sides of a comparison are whole milliseconds.
  const seen: MountedVersions = {
    className,
    hash: hashOf(sighting.versions),
    confirmedAt: Math.floor(sighting.confirmedAt),
  };
  const next = new Map([...mounted, [volume, seen]]);
  if (known?.className !== className) {
    return { kind: 'note', patch: { annotations: { [MOUNTED_VERSIONS]: writeMountedVersions(next) } } };
  }
  if (known.hash === seen.hash) {
    return { kind: 'none' };
  }
  if (known.confirmedAt >= seen.confirmedAt && isCredible(known.confirmedAt, now)) {
    return { kind: 'newer elsewhere' };
  }
  const restartedAt = Date.parse(workload.annotations.get(RESTARTED_AT) ?? '');
  const afterMs = restartedAt + minIntervalMs - now;
  if (afterMs > 0 && isCredible(restartedAt, now)) {
    return { kind: 'later', afterMs };
  }
  return {
    kind: 'roll',
    patch: {
      annotations: { [MOUNTED_VERSIONS]: writeMountedVersions(next), [RESTARTED_AT]: new Date(now).toISOString() },
      templateAnnotations: { [VERSIONS]: hashOf([...next].map(([name, { hash }]) => [name, hash])) },
    },
  };
}
