import { ProviderError } from '../model/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { NodeMount, NodeMounts } from './node-mounts.ts';
import { retryIn } from './schedule.ts';
import { survey, type SurveyDeps } from './survey.ts';

export interface SurveysDeps extends SurveyDeps {
  readonly log: Logger;
  readonly nodeName: string;
  /** Milliseconds from one survey to the next. */
  readonly surveyEveryMs: number;
  /** A mount is gone: what followed it goes by it no longer. @throws ProviderError */
  drop(targetPath: string, signal: AbortSignal): Promise<void>;
}

/** Surveys one after the other, and what they come to. */
export interface Surveys {
  /**
   * @param welcome what to do with mounts not known before
   * @returns milliseconds to the next one
   */
  run(welcome: (mount: NodeMount) => void, signal: AbortSignal): Promise<number>;
  /** Has what followed a mount that is gone dropped with the next survey. */
  gone(targetPath: string): void;
}

export function createSurveys(mounts: NodeMounts, deps: SurveysDeps): Surveys {
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
    async run(welcome, signal) {
      try {
        const { found, gone } = await survey(mounts, deps, signal);
        found.forEach(welcome);
        for (const { targetPath } of gone) {
          toDrop.add(targetPath);
        }
        if (found.length + gone.length > 0) {
          deps.log.info({ found: found.length, gone: gone.length }, 'mounts surveyed');
        }
        await dropGone(signal);
        failures = 0;
        return deps.surveyEveryMs;
      } catch (thrown) {
        const error = ProviderError.from(thrown);
        failures += 1;
        if (!signal.aborted) {
          deps.log.error({ reason: error.reason, error: error.message, failures }, 'mounts not surveyed');
        }
        return retryIn(failures, deps.nodeName, deps.surveyEveryMs);
      }
    },
    gone(targetPath) {
      toDrop.add(targetPath);
    },
  };
}
