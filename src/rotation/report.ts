import type { Clock } from '../concurrency/clock.ts';
import type { ProviderError } from '../model/errors.ts';
import type { Logger } from '../observability/logger.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { NodeMount } from './node-mounts.ts';

/** An event that `kubectl describe pod` shows. */
export interface PodEvent {
  readonly pod: PodRef;
  readonly type: 'Normal' | 'Warning';
  /** One word in CamelCase. */
  readonly reason: string;
  readonly message: string;
}

export interface ReportDeps {
  readonly clock: Clock;
  /** Repeats an equal event only after some minutes. @throws ProviderError */
  recordEvent(event: PodEvent, signal: AbortSignal): Promise<void>;
  readonly log: Logger;
}

/** Reports polls in the log and as events of the pods. An event that cannot be written is only logged. */
export interface Report {
  rotated(mount: NodeMount, files: readonly string[], signal: AbortSignal): Promise<void>;
  /** @param isServed whether the files are up to date, and only a downstream step failed */
  failed(mount: NodeMount, error: ProviderError, isServed: boolean, signal: AbortSignal): Promise<void>;
  recovered(mount: NodeMount, signal: AbortSignal): Promise<void>;
}

export function createReport({ recordEvent, log, clock }: ReportDeps): Report {
  async function record(mount: NodeMount, event: Omit<PodEvent, 'pod'>, signal: AbortSignal): Promise<void> {
    try {
      await recordEvent({ pod: mount.pod, ...event }, signal);
    } catch (error) {
      if (!signal.aborted) {
        log.warn(
          { ...logFields(mount), error: error instanceof Error ? error.message : 'unknown error' },
          'event not written',
        );
      }
    }
  }

  return {
    async rotated(mount, files, signal) {
      log.info({ ...logFields(mount), files }, 'mount rotated');
      const message = `SecretProviderClass ${mount.className}: new versions of ${files.join(', ')}`;
      await record(mount, { type: 'Normal', reason: 'SecretsRotated', message }, signal);
    },
    async failed(mount, error, isServed, signal) {
      log.error(
        {
          ...logFields(mount),
          reason: error.reason,
          error: error.message,
          failures: mount.failures,
          ageMs: ageOf(mount, clock),
        },
        isServed ? 'downstream of mount not updated' : 'mount not refreshed',
      );
      const state = isServed
        ? 'files are up to date, but the Kubernetes Secret, the restart or the pod status that depends on them failed'
        : 'files could not be refreshed; the pod keeps the files it has';
      const message = `SecretProviderClass ${mount.className}: ${state}; retrying: ${error.message}`;
      await record(mount, { type: 'Warning', reason: error.reason, message }, signal);
    },
    async recovered(mount, signal) {
      log.info(logFields(mount), 'mount refreshed again');
      const message = `SecretProviderClass ${mount.className}: files, Kubernetes Secrets and restarts are up to date again`;
      await record(mount, { type: 'Normal', reason: 'SecretsRefreshed', message }, signal);
    },
  };
}

/** Milliseconds since AWS last confirmed the files; undefined if it has not confirmed them to this process yet. */
export function ageOf({ current }: NodeMount, clock: Clock): number | undefined {
  return current === undefined ? undefined : Math.round(clock.now() - current.confirmedAt);
}

function logFields({ pod, className }: NodeMount): Record<string, unknown> {
  return { namespace: pod.namespace, pod: pod.name, serviceAccount: pod.serviceAccount, class: className };
}
