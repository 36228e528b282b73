import { ProviderError } from '../model/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import { retryIn } from './schedule.ts';
import { discoverMounts, type DiscoverDeps } from './discover-mounts.ts';

export interface DiscoveryDeps extends DiscoverDeps {
  readonly log: Logger;
  readonly nodeName: string;
  /** Milliseconds from one discovery to the next. */
  readonly discoverEveryMs: number;
  /** Releases what depends on a mount that no longer exists. @throws ProviderError */
  drop(targetPath: string, signal: AbortSignal): Promise<void>;
}

/** Finds new mounts, and cleans up after those that no longer exist. */
export interface Discovery {
  /**
   * @param scheduleFirstPoll called with each mount that was not known before
   * @returns milliseconds until the next discovery
   */
  run(scheduleFirstPoll: (mount: NodeMount) => void, signal: AbortSignal): Promise<number>;
  /** Has the next discovery release what depends on a mount that no longer exists. */
  enqueueRemoval(targetPath: string): void;
}

export function createDiscovery(mounts: NodeMounts, deps: DiscoveryDeps): Discovery {
  /** Target paths of mounts that no longer exist, or whose pods are terminating, and on which a Secret may still depend. */
  const toDrop = new Set<string>();
  let failures = 0;

  /** A failure leaves the rest for the next discovery. */
  async function dropRemoved(signal: AbortSignal): Promise<void> {
    for (const targetPath of toDrop) {
      if (isGoneOrTerminating(mounts.get(targetPath))) {
        await deps.drop(targetPath, signal);
      }
      toDrop.delete(targetPath);
    }
  }

  return {
    async run(scheduleFirstPoll, signal) {
      try {
        const { found, removed } = await discoverMounts(mounts, deps, signal);
        found.forEach(scheduleFirstPoll);
        for (const { targetPath } of [...removed, ...[...mounts.all()].filter(isGoneOrTerminating)]) {
          toDrop.add(targetPath);
        }
        if (found.length + removed.length > 0) {
          deps.log.info({ found: found.length, removed: removed.length }, 'mounts discovered');
        }
        await dropRemoved(signal);
        failures = 0;
        return deps.discoverEveryMs;
      } catch (thrown) {
        const error = ProviderError.from(thrown);
        failures += 1;
        if (!signal.aborted) {
          deps.log.error({ reason: error.reason, error: error.message, failures }, 'mounts not discovered');
        }
        return retryIn(failures, deps.nodeName, deps.discoverEveryMs);
      }
    },
    enqueueRemoval(targetPath) {
      toDrop.add(targetPath);
    },
  };
}

/** A terminating pod still reads its files, but needs no Secret any more. */
function isGoneOrTerminating(mount: NodeMount | undefined): boolean {
  return mount === undefined || mount.nodePod?.isTerminating === true;
}
