import type { Clock } from '../concurrency/clock.ts';
import type { ProviderError } from '../model/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { NodeMount } from './node-mounts.ts';

/** What a pod's owner sees in `kubectl describe pod`. */
export interface PodEvent {
  readonly pod: PodRef;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface ReportDeps {
  readonly clock: Clock;
  /** Says the same only once in a while. @throws ProviderError */
  recordEvent(event: PodEvent, signal: AbortSignal): Promise<void>;
  readonly log: Logger;
}

/** Tells of turns in the log and in the pods' events. Nothing fails because an event cannot be written. */
export interface Report {
  rotated(mount: NodeMount, files: readonly string[], signal: AbortSignal): Promise<void>;
  /** @param isServed whether the files are what they should be, and only what follows them is not */
  failed(mount: NodeMount, error: ProviderError, isServed: boolean, signal: AbortSignal): Promise<void>;
  recovered(mount: NodeMount, signal: AbortSignal): Promise<void>;
}

export function createReport({ recordEvent, log, clock }: ReportDeps): Report {
  async function tell(mount: NodeMount, event: Omit<PodEvent, 'pod'>, signal: AbortSignal): Promise<void> {
    try {
      await recordEvent({ pod: mount.pod, ...event }, signal);
    } catch (error) {
      if (!signal.aborted) {
        log.warn(
          { ...whose(mount), error: error instanceof Error ? error.message : 'unknown error' },
          'event not written',
        );
      }
    }
  }

  return {
    async rotated(mount, files, signal) {
      log.info({ ...whose(mount), files }, 'mount rotated');
      const message = `SecretProviderClass ${mount.className}: new versions of ${files.join(', ')}`;
      await tell(mount, { type: 'Normal', reason: 'SecretsRotated', message }, signal);
    },
    async failed(mount, error, isServed, signal) {
      log.error(
        {
          ...whose(mount),
          reason: error.reason,
          error: error.message,
          failures: mount.failures,
          ageMs: ageOf(mount, clock),
        },
        isServed ? 'mount not followed' : 'mount not refreshed',
      );
      const state = isServed
        ? 'is refreshed, but what goes by its files is not'
        : 'could not be refreshed; the pod keeps the files it has';
      const message = `SecretProviderClass ${mount.className} ${state}, and this is tried again: ${error.message}`;
      await tell(mount, { type: 'Warning', reason: error.reason, message }, signal);
    },
    async recovered(mount, signal) {
      log.info(whose(mount), 'mount refreshed again');
      const message = `SecretProviderClass ${mount.className} is refreshed again`;
      await tell(mount, { type: 'Normal', reason: 'SecretsRefreshed', message }, signal);
    },
  };
}

/** Milliseconds since AWS last said that the files are current; undefined where it never did to this process. */
export function ageOf({ current }: NodeMount, clock: Clock): number | undefined {
  return current === undefined ? undefined : Math.round(clock.now() - current.confirmedAt);
}

function whose({ pod, className }: NodeMount): Record<string, unknown> {
  return { namespace: pod.namespace, pod: pod.name, serviceAccount: pod.serviceAccount, class: className };
}
