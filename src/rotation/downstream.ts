import type { Clock } from '../concurrency/clock.ts';
import { type FailureReason, ProviderError } from '../model/errors.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import type { ServedMount } from '../mount/serve.ts';
import type { Volumes } from '../mount/volume/volumes.ts';
import type { NodePod, ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { NodeMount } from './node-mounts.ts';
import type { PresentCall } from './present-call.ts';

/** A mount whose files are up to date, as the downstream steps receive it. */
export interface RefreshedMount {
  readonly targetPath: string;
  readonly pod: PodRef;
  /** The pod as last read from the API server. Its owner is what the pod's author wrote, and is not verified. */
  readonly nodePod: NodePod;
  /** Name of the volume in the pod. */
  readonly volume: string;
  readonly class: ProviderClass;
  /** Wall clock in milliseconds: since when this process knows the mount. */
  readonly since: number;
  /** Version by file. */
  readonly versions: ReadonlyMap<string, string>;
  /** Wall clock in milliseconds: when AWS confirmed that these versions are current. */
  readonly confirmedAt: number;
  files(): Promise<readonly PlannedFile[]>;
}

/** The result of a downstream step. */
export interface DownstreamResult {
  /** The Secret or workload has other values, which AWS confirmed to another node later. */
  readonly isNewerElsewhere?: boolean;
  /** Milliseconds until the step can be done, if it has to wait. */
  readonly dueInMs?: number;
}

/** Updates something that depends on the files of a mount. Steps run in order: a workload that restarts must find the new Secret. */
export interface DownstreamStep {
  /** Does nothing if it is up to date already. @throws ProviderError */
  update(mount: RefreshedMount, signal: AbortSignal): Promise<DownstreamResult>;
}

export interface DownstreamDeps {
  readonly clock: Clock;
  readonly downstream: readonly DownstreamStep[];
  /** Absent if the driver writes the files. */
  readonly volumes?: Volumes;
}

/** Failures that a retry does not resolve. */
const PERMANENT: ReadonlySet<FailureReason> = new Set(['SecretRefused', 'InvalidParameters']);

/**
 * Updates the Secrets and workloads that depend on a mount, if its files can be read: if the driver writes them, only during a Mount call. A step that
 * fails permanently does not stop the steps after it. Any other failure does, because a workload must find the new Secret.
 * @throws ProviderError with all failures
 */
export async function updateDownstream(
  mount: NodeMount,
  { class: providerClass }: Pick<PresentCall, 'class'>,
  served: Pick<ServedMount, 'versions' | 'confirmedAt' | 'files'>,
  deps: DownstreamDeps,
  signal: AbortSignal,
): Promise<DownstreamResult> {
  const { targetPath, pod, volume, since, nodePod } = mount;
  const { versions } = served;
  const { volumes } = deps;
  const files = served.files ?? (volumes === undefined ? undefined : async () => (await volumes.read(mount)).files);
  // The Secrets of a terminating pod are released by now (discovery.ts), and its workload has no use for a restart on its account.
  if (nodePod === undefined || nodePod.isTerminating || files === undefined || deps.downstream.length === 0) {
    return {};
  }
  if (providerClass instanceof ProviderError) {
    throw providerClass;
  }
  const refreshed: RefreshedMount = {
    targetPath,
    pod,
    nodePod,
    volume,
    class: providerClass,
    since,
    versions,
    confirmedAt: deps.clock.wallNow() - (deps.clock.now() - served.confirmedAt),
    files: typeof files === 'function' ? files : async () => files,
  };
  const results: DownstreamResult[] = [];
  const failures: ProviderError[] = [];
  for (const step of deps.downstream) {
    try {
      results.push(await step.update(refreshed, signal));
    } catch (thrown) {
      const error = ProviderError.from(thrown);
      failures.push(error);
      if (!PERMANENT.has(error.reason)) {
        break;
      }
    }
  }
  if (failures.length > 0) {
    throw ProviderError.all(failures);
  }
  mount.downstreamUpdated(versions);
  const waits = results.flatMap(({ dueInMs }) => dueInMs ?? []);
  return {
    isNewerElsewhere: results.some(({ isNewerElsewhere }) => isNewerElsewhere === true),
    ...(waits.length > 0 && { dueInMs: Math.min(...waits) }),
  };
}
