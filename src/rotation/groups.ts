import { type MountSpec, partyOf } from '../model/mount-spec.ts';
import { backOffMs } from './back-off.ts';
import type { NodeMount } from './node-mounts.ts';

/** Mounts of one group are polled together: the same calls to AWS serve all of them. */
export function groupsOf(mounts: Iterable<NodeMount>, intervalMs: number): readonly (readonly NodeMount[])[] {
  return [...Map.groupBy(mounts, (mount) => groupKey(mount, intervalMs)).values()];
}

/**
 * Healthy mounts join a due one of their group early, as the calls to AWS are the same. A failing mount waits until its retry is due, unless retries have
 * become as rare as polls: the group would be polled twice per interval otherwise.
 */
export function dueGroups(
  idle: readonly NodeMount[],
  isDue: (mount: NodeMount) => boolean,
  intervalMs: number,
): readonly (readonly NodeMount[])[] {
  return groupsOf(idle, intervalMs)
    .filter((group) => group.some(isDue))
    .map((group) => group.filter((mount) => isDue(mount) || joinsOthers(mount, intervalMs)));
}

function joinsOthers(mount: NodeMount, intervalMs: number): boolean {
  return mount.failures === 0 || backOffMs(mount.failures) >= intervalOf(mount, intervalMs);
}

/** @param intervalMs poll interval of classes without one of their own */
export function intervalOf({ spec }: Pick<NodeMount, 'spec'>, intervalMs: number): number {
  return spec?.pollIntervalMs ?? intervalMs;
}

export function groupKey({ spec, pod }: Pick<NodeMount, 'spec' | 'pod'>, intervalMs: number): string {
  // Before the first poll of a mount its role is unknown. Pods of one service account most likely have the same one.
  return spec === undefined ? partyOf(pod).join('/') : groupOf(spec, intervalOf({ spec }, intervalMs));
}

/** The same for mounts that can be polled together: those of one identity and region with the same interval. */
export function groupOf({ pod, authentication, regions }: MountSpec, intervalMs: number): string {
  const { namespace, serviceAccount, uid } = pod;
  // With EKS Pod Identity each pod has a session of its own.
  const whose = authentication.kind === 'irsa' ? [] : [uid];
  return JSON.stringify([namespace, serviceAccount, ...whose, regions[0], intervalMs]);
}
