import { createCache } from '../concurrency/cache.ts';
import type { Clock } from '../concurrency/clock.ts';
import type { DownstreamStep, RefreshedMount, Verdict } from '../model/downstream.ts';
import { ProviderError } from '../model/errors.ts';
import type { PodEvent } from '../model/kube-objects.ts';
import { planRestart } from './plan-restart.ts';
import { hashOf } from './versions-hash.ts';
import type { WorkloadApi } from './workload-api.ts';

export interface RestartDeps {
  readonly workloads: WorkloadApi;
  /** Least time between two restarts of one workload, in milliseconds. */
  readonly minIntervalMs: number;
  readonly clock: Clock;
  /** Never throws. */
  recordEvent(event: PodEvent, signal: AbortSignal): Promise<void>;
}

/** A write fails if the workload changed since it was read. Five failures in a row mean that others change it all the time. */
const ATTEMPTS = 5;
/**
 * Several pods of a node have one owner, so the same versions are not checked again for this long. It also bounds how late a new annotation takes
 * effect. A mount that is newer than the last check is checked all the same: a restart may have created its pod.
 */
const RECHECK_AFTER_MS = 120_000;
/** More than the volumes of a node's pods. */
const MAX_CHECKS = 10_000;

/**
 * Records what pods mount, and restarts workloads whose pods cannot reload it, if the workload opts in and was not restarted for these versions yet. Several
 * nodes may have the same versions: only one restart follows.
 */
export function createRestarts(deps: RestartDeps): DownstreamStep {
  const { clock } = deps;
  /** By owner and volume. */
  const checks = createCache<{ readonly hash: string; readonly at: number }>(clock, {
    ttlMs: RECHECK_AFTER_MS,
    maxEntries: MAX_CHECKS,
  });

  return {
    async update(mount, signal) {
      const key = `${mount.nodePod.owner.uid}/${mount.volume}`;
      const hash = hashOf(mount.versions);
      const last = checks.get(key);
      if (last?.hash === hash && last.at >= mount.since) {
        return {};
      }
      const at = clock.now();
      const verdict = await restart(mount, deps, signal);
      if (verdict === 'no workload') {
        // The pod may name a false owner. Recording a check would stop the real pods of that owner from being checked.
        return {};
      }
      if (verdict.newerConfirmedAt === undefined && verdict.dueInMs === undefined) {
        checks.set(key, { hash, at });
      }
      return verdict;
    },
  };
}

async function restart(
  mount: RefreshedMount,
  { workloads, minIntervalMs, clock, recordEvent }: RestartDeps,
  signal: AbortSignal,
): Promise<Verdict | 'no workload'> {
  const { owner, ref: pod } = mount.nodePod;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const workload = await workloads.workloadOf(mount.nodePod, mount.volume, signal);
    if (workload === undefined) {
      return 'no workload';
    }
    const plan = planRestart(workload, mount, { now: clock.wallNow(), minIntervalMs });
    if (!('patch' in plan)) {
      return plan;
    }
    if ((await workloads.patch(workload, plan.patch, signal)) === 'written') {
      if (plan.patch.templateAnnotations !== undefined) {
        const message = `new versions of what SecretProviderClass ${mount.class.name} mounts: the workload of ${owner.kind} ${owner.name} restarts`;
        await recordEvent({ pod, type: 'Normal', reason: 'WorkloadRestarted', message }, signal);
      }
      return {};
    }
  }
  throw new ProviderError(
    'KubernetesUnavailable',
    `the workload of ${owner.kind} ${pod.namespace}/${owner.name} was changed by others ${ATTEMPTS} times while it was to be restarted`,
  );
}
