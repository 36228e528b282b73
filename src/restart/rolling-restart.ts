import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { NodePod } from '../model/kube-objects.ts';
import { planRestart, type Sighting } from './plan-restart.ts';
import { hashOf } from './versions-hash.ts';
import type { WorkloadApi } from './workload-api.ts';

/** What a pod mounts, and who says to have made it. */
export interface ObservedMount extends Sighting {
  readonly nodePod: NodePod;
  /** Wall clock in milliseconds: since when the mount is known here. */
  readonly since: number;
}

/**
 * `newer elsewhere`: the workload was restarted for other versions, which AWS told another node of later. `dueInMs`: the restart is due, and too soon
 * after the last one; observe again after that many milliseconds.
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
   * Takes note of what a pod mounts, and restarts its workload where that asks for it and has not been restarted for these versions. Every node may call it
   * with the same.
   * @throws ProviderError KubernetesUnavailable, or the signal's reason
   */
  observe(mount: ObservedMount, signal: AbortSignal): Promise<RestartOutcome>;
}

/** Whoever comes in between has written; only a workload that others write without pause is never reached. */
const ATTEMPTS = 5;
/**
 * For so long the same versions are not looked at again, as several pods of a node have one owner. Bounds, too, how late a new annotation is
 * seen. A pod that is newer than the last look may come of a restart since.
 */
const SETTLED_MS = 120_000;

export function createRestarts({ workloads, minIntervalMs, clock }: RestartDeps): Restarts {
  /** By owner and volume, oldest first. */
  const settled = new Map<string, { readonly hash: string; readonly at: number }>();

  function isSettled(key: string, hash: string, since: number): boolean {
    const last = settled.get(key);
    if (last?.hash !== hash || last.at < since) {
      return false;
    }
    const age = clock.wallNow() - last.at;
    return age >= 0 && age < SETTLED_MS;
  }

  function settle(key: string, hash: string, at: number): void {
    for (const [oldest, last] of settled) {
      if (clock.wallNow() - last.at < SETTLED_MS) {
        break;
      }
      settled.delete(oldest);
    }
    settled.delete(key);
    settled.set(key, { hash, at });
  }

  async function decide(mount: ObservedMount, signal: AbortSignal): Promise<RestartOutcome | 'of nobody'> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const workload = await workloads.workloadOf(mount.nodePod, mount.volume, signal);
      if (workload === undefined) {
        return 'of nobody';
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
      if (isSettled(key, hash, mount.since)) {
        return 'none';
      }
      const at = clock.wallNow();
      const outcome = await decide(mount, signal);
      if (outcome === 'of nobody') {
        // What one pod falsely says of its owner settles nothing for the owner's own pods.
        return 'none';
      }
      if (typeof outcome === 'string' && outcome !== 'newer elsewhere') {
        settle(key, hash, at);
      }
      return outcome;
    },
  };
}
