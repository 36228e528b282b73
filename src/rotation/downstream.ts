import { type FailureReason, ProviderError } from '../model/errors.ts';
import type { Verdict } from '../model/downstream.ts';
import type { ServedMount } from '../mount/serve.ts';
import type { NodeMount } from './node-mounts.ts';
import type { PresentCall } from './present-call.ts';
import type { PollDeps } from './rotation-deps.ts';

interface Refreshed {
  readonly mount: NodeMount;
  readonly present: Pick<PresentCall, 'class'>;
  readonly served: Pick<ServedMount, 'versions' | 'confirmedAt' | 'files'>;
}

/** Failures that a retry does not resolve. */
const PERMANENT: ReadonlySet<FailureReason> = new Set(['SecretRefused', 'InvalidParameters']);

/**
 * Updates the Secrets and workloads that depend on a mount, if its files can be read: if the driver writes them, only during a Mount call. A step that
 * fails permanently does not stop the steps after it. Any other failure does, because a workload must find the new Secret.
 * @returns the verdict of the steps that were done, and all failures in one error: a Secret that is refused does not hide that a workload has newer values
 */
export async function updateDownstream(
  { mount, present, served }: Refreshed,
  { clock, downstream, volumes }: Pick<PollDeps, 'clock' | 'downstream' | 'volumes'>,
  signal: AbortSignal,
): Promise<Verdict & { readonly error?: ProviderError }> {
  const { targetPath, volume, since, nodePod } = mount;
  const { versions } = served;
  const files = served.files ?? (volumes === undefined ? undefined : async () => (await volumes.read(mount)).files);
  // The Secrets of a terminating pod are released by now (discovery.ts), and its workload has no use for a restart on its account.
  if (nodePod === undefined || nodePod.isTerminating || files === undefined || downstream.length === 0) {
    return {};
  }
  if (present.class instanceof ProviderError) {
    return { error: present.class };
  }
  const refreshed = {
    targetPath,
    volume,
    since,
    nodePod,
    class: present.class,
    versions,
    confirmedAt: clock.wallNow() - (clock.now() - served.confirmedAt),
    files: typeof files === 'function' ? files : async () => files,
  };
  let verdict: Verdict = {};
  const failures: ProviderError[] = [];
  for (const step of downstream) {
    try {
      verdict = { ...verdict, ...(await step.update(refreshed, signal)) };
    } catch (thrown) {
      const error = ProviderError.from(thrown);
      failures.push(error);
      if (!PERMANENT.has(error.reason)) {
        break;
      }
    }
  }
  if (failures.length > 0) {
    return { ...verdict, error: ProviderError.all(failures) };
  }
  mount.downstreamUpdated(versions);
  return verdict;
}
