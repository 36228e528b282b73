import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { NodePod } from '../model/kube-objects.ts';
import { planRestart, type Sighting } from './plan-restart.ts';
import { hashOf } from './versions-hash.ts';
import type { WorkloadApi } from './workload-api.ts';

/** What a pod mounts, and the owner that the pod names. */
export interface ObservedMount extends Sighting {
  readonly nodePod: NodePod;
  /** Wall clock in milliseconds: since when this process knows the mount. */
  readonly since: number;
}

/**
 * `newer elsewhere`: the workload was restarted for other versions, which AWS confirmed to another node later. `dueInMs`: it is too soon after the last
 * restart; call again after that many milliseconds.
 */
export type RestartOutcome = 'none' | 'noted' | 'restarted' | 'newer elsewhere' | { readonly dueInMs: number };

export interface RestartDeps {
  readonly workloads: WorkloadApi;
  /** Least time between two restarts of one workload, in milliseconds. */
  readonly minIntervalMs: number;
  readonly clock: Clock;
}

/** Restarts workloads whose pods cannot reload what they mount. */
export interface Restarts {
  /**
   * Records what a pod mounts, and restarts its workload if the workload opts in and was not restarted for these versions yet. Several nodes may report
   * the same versions: only one restart follows.
   * @throws ProviderError KubernetesUnavailable, or the signal's reason
   */
  observe(mount: ObservedMount, signal: AbortSignal): Promise<RestartOutcome>;
}

/** A write fails if the workload changed since it was read. Five failures in a row mean that others change it all the time. */
const ATTEMPTS = 5;
/**
 * Several pods of a node have one owner, so the same versions are not checked again for this long. It also bounds how late a new annotation takes
 * effect. A mount that is newer than the last check is checked all the same: a restart may have created its pod.
 */
const RECHECK_AFTER_MS = 120_000;

export function createRestarts({ workloads, minIntervalMs, clock }: RestartDeps): Restarts {
  /** By owner and volume, oldest first. */
  const checked = new Map<string, { readonly hash: string; readonly at: number }>();

  function isRecentlyChecked(key: string, hash: string, since: number): boolean {
    const last = checked.get(key);
    if (last?.hash !== hash || last.at < since) {
      return false;
    }
    const age = clock.wallNow() - last.at;
    return age >= 0 && age < RECHECK_AFTER_MS;
  }

  function recordCheck(key: string, hash: string, at: number): void {
    for (const [oldest, last] of checked) {
      if (clock.wallNow() - last.at < RECHECK_AFTER_MS) {
        break;
      }
      checked.delete(oldest);
    }
    checked.delete(key);
    checked.set(key, { hash, at });
  }

  async function decide(mount: ObservedMount, signal: AbortSignal): Promise<RestartOutcome | 'no workload'> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const workload = await workloads.workloadOf(mount.nodePod, mount.volume, signal);
      if (workload === undefined) {
        return 'no workload';
      }
      const plan = planRestart(workload, mount, { now: clock.wallNow(), minIntervalMs });
      if (plan.kind === 'none' || plan.kind === 'newer elsewhere') {
        return plan.kind;
      }
      if (plan.kind === 'later') {
        return { dueInMs: plan.afterMs };
      }
      if ((await workloads.patch(workload, plan.patch, signal)) === 'written') {
        return plan.kind === 'roll' ? 'restarted' : 'noted';
      }
    }
    const { owner, ref } = mount.nodePod;
    throw new ProviderError(
      'KubernetesUnavailable',
      `the workload of ${owner.kind} ${ref.namespace}/${owner.name} was changed by others ${ATTEMPTS} times while it was to be restarted`,
    );
  }

  return {
    async observe(mount, signal) {
      const key = `${mount.nodePod.owner.uid}/${mount.volume}`;
      const hash = hashOf(mount.versions);
      if (isRecentlyChecked(key, hash, mount.since)) {
        return 'none';
      }
      const at = clock.wallNow();
      const outcome = await decide(mount, signal);
      if (outcome === 'no workload') {
        // The pod may name a false owner. Recording a check would stop the real pods of that owner from being checked.
        return 'none';
      }
      if (typeof outcome === 'string' && outcome !== 'newer elsewhere') {
        recordCheck(key, hash, at);
      }
      return outcome;
    },
  };
}
