import { mountFields } from '../observability/logger.ts';
import type { PodEvent } from '../model/kube-objects.ts';
import type { NodeMount } from './node-mounts.ts';
import type { Outcome } from './outcome.ts';
import type { RotationDeps } from './rotation-deps.ts';

/**
 * Reports a poll in the log and as events of the pod.
 * @param wasFailing whether the poll before it failed
 */
export async function reportPoll(
  mount: NodeMount,
  { rotated = [], error, isServed = false, wasFailing }: Outcome & { readonly wasFailing: boolean },
  { recordEvent, log: parent, clock }: Pick<RotationDeps, 'recordEvent' | 'log' | 'clock'>,
  signal: AbortSignal,
): Promise<void> {
  const { pod, className, current, failures } = mount;
  const log = parent.child(mountFields(pod, className));
  /** Milliseconds since AWS last confirmed the files; absent if it has not confirmed them to this process yet. */
  const ageMs = current && Math.round(clock.now() - current.confirmedAt);

  async function record(type: PodEvent['type'], reason: string, message: string): Promise<void> {
    await recordEvent({ pod, type, reason, message: `SecretProviderClass ${className}: ${message}` }, signal);
  }

  if (rotated.length > 0) {
    log.info({ files: rotated }, 'mount rotated');
    await record('Normal', 'SecretsRotated', `new versions of ${rotated.join(', ')}`);
  }
  if (error !== undefined) {
    log.error(
      { reason: error.reason, error: error.message, failures, ageMs },
      isServed ? 'downstream of mount not updated' : 'mount not refreshed',
    );
    const state = isServed
      ? 'files are up to date, but the Kubernetes Secret, the restart or the pod status that depends on them failed'
      : 'files could not be refreshed; the pod keeps the files it has';
    await record('Warning', error.reason, `${state}; retrying: ${error.message}`);
  } else if (wasFailing) {
    log.info('mount refreshed again');
    await record('Normal', 'SecretsRefreshed', 'files, Kubernetes Secrets and restarts are up to date again');
  } else {
    log.debug({ ageMs }, 'mount is up to date');
  }
}
