import { ProviderError } from '../model/errors.ts';
import { discoverMounts } from './discover-mounts.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import type { RotationDeps } from './rotation-deps.ts';
import { retryIn } from './schedule.ts';

/** Finds new mounts, and cleans up after those that no longer exist. */
export interface Discovery {
  /** Discovers mounts again and again, until the signal aborts. @param scheduleFirstPoll called with each mount that was not known before */
  run(scheduleFirstPoll: (mount: NodeMount) => void, signal: AbortSignal): Promise<void>;
  /** Has the next discovery release what depends on a mount that no longer exists. */
  enqueueRemoval(targetPath: string): void;
}

/** Longest time from one discovery to the next. */
const LONGEST_PAUSE_MS = 60_000;

export function createDiscovery(mounts: NodeMounts, deps: RotationDeps): Discovery {
  const { clock, log, nodeName } = deps;
  const discoverEveryMs = Math.min(deps.intervalMs, LONGEST_PAUSE_MS);
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

  /** @throws ProviderError */
  async function discover(scheduleFirstPoll: (mount: NodeMount) => void, signal: AbortSignal): Promise<void> {
    const { found, removed } = await discoverMounts(mounts, deps, signal);
    found.forEach(scheduleFirstPoll);
    for (const { targetPath } of [...removed, ...mounts.all().filter(isGoneOrTerminating)]) {
      toDrop.add(targetPath);
    }
    if (found.length + removed.length > 0) {
      log.info({ found: found.length, removed: removed.length }, 'mounts discovered');
    }
    await dropRemoved(signal);
  }

  return {
    async run(scheduleFirstPoll, signal) {
      while (!signal.aborted) {
        try {
          await discover(scheduleFirstPoll, signal);
          failures = 0;
        } catch (thrown) {
          const error = ProviderError.from(thrown);
          failures += 1;
          if (!signal.aborted) {
            log.error({ reason: error.reason, error: error.message, failures }, 'mounts not discovered');
          }
        }
        const waitMs = failures === 0 ? discoverEveryMs : retryIn(failures, nodeName, discoverEveryMs);
        await clock.sleep(waitMs, signal).catch(() => undefined);
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
