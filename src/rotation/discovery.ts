import { ProviderError } from '../model/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import { retryIn } from './schedule.ts';
import { survey, type DiscoverDeps } from './discover-mounts.ts';

export interface DiscoveryDeps extends DiscoverDeps {
  readonly log: Logger;
  readonly nodeName: string;
  /** Milliseconds from one survey to the next. */
  readonly discoverEveryMs: number;
  /** A mount is gone: what followed it goes by it no longer. @throws ProviderError */
  drop(targetPath: string, signal: AbortSignal): Promise<void>;
}

/** Discovery one after the other, and what they come to. */
export interface Discovery {
  /**
   * @param scheduleFirstPoll what to do with mounts not known before
   * @returns milliseconds to the next one
   */
  run(scheduleFirstPoll: (mount: NodeMount) => void, signal: AbortSignal): Promise<number>;
  /** Has what followed a mount that is gone dropped with the next survey. */
  gone(targetPath: string): void;
}

export function createDiscovery(mounts: NodeMounts, deps: DiscoveryDeps): Discovery {
  /** Target paths whose mounts are gone, and which something may still go by. */
  const toDrop = new Set<string>();
  let failures = 0;

  /** What could not be dropped is tried again with the next survey. */
  async function dropGone(signal: AbortSignal): Promise<void> {
    for (const targetPath of toDrop) {
      if (mounts.get(targetPath) === undefined) {
        await deps.drop(targetPath, signal);
      }
      toDrop.delete(targetPath);
    }
  }

  return {
    async run(scheduleFirstPoll, signal) {
      try {
        const { found, gone } = await survey(mounts, deps, signal);
        found.forEach(scheduleFirstPoll);
        for (const { targetPath } of gone) {
          toDrop.add(targetPath);
        }
        if (found.length + gone.length > 0) {
          deps.log.info({ found: found.length, gone: gone.length }, 'mounts surveyed');
        }
        await dropGone(signal);
        failures = 0;
        return deps.discoverEveryMs;
      } catch (thrown) {
        const error = ProviderError.from(thrown);
        failures += 1;
        if (!signal.aborted) {
          deps.log.error({ reason: error.reason, error: error.message, failures }, 'mounts not surveyed');
        }
        return retryIn(failures, deps.nodeName, deps.discoverEveryMs);
      }
    },
    gone(targetPath) {
      toDrop.add(targetPath);
    },
  };
}
