import type { Clock } from '../concurrency/clock.ts';
import { type FailureReason, ProviderError } from '../model/errors.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import type { ServedMount } from '../mount/serve.ts';
import type { Volumes } from '../mount/volume/volumes.ts';
import type { NodePod, ProviderClass } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { NodeMount } from './node-mounts.ts';
import type { PresentCall } from './present-call.ts';

/** A mount's files, for those that go by them. */
export interface RefreshedMount {
  readonly targetPath: string;
  readonly pod: PodRef;
  /** As the API server last told, with what its author says of its owner. */
  readonly nodePod: NodePod;
  /** Name of the volume in the pod. */
  readonly volume: string;
  readonly class: ProviderClass;
  /** Wall clock in milliseconds: since when it is known here. */
  readonly since: number;
  /** By file. */
  readonly versions: ReadonlyMap<string, string>;
  /** Wall clock in milliseconds: when AWS said that these are the versions. */
  readonly confirmedAt: number;
  files(): Promise<readonly PlannedFile[]>;
}

/** What came of bringing something to a mount's files. */
export interface DownstreamResult {
  /** It holds other values, which AWS confirmed to another node later. */
  readonly isNewerElsewhere?: boolean;
  /** It must wait; milliseconds until it can be brought to them. */
  readonly dueInMs?: number;
}

/** What depends on the files of a mount, one after the other: a workload that is rolled must find the new Secret. */
export interface DownstreamStep {
  /** Brings it to the mount's files, where it is not so already. @throws ProviderError */
  update(mount: RefreshedMount, signal: AbortSignal): Promise<DownstreamResult>;
}

export interface DownstreamDeps {
  readonly clock: Clock;
  readonly downstream: readonly DownstreamStep[];
  /** Absent where the driver writes. */
  readonly volumes?: Volumes;
}

/** Refusals that nobody waits out. */
const FOR_GOOD: ReadonlySet<FailureReason> = new Set(['SecretRefused', 'InvalidParameters']);

/**
 * Has Secrets and workloads follow what a mount holds, as far as its files are in sight: where the driver writes, they are while they pass
 * through. One that is refused for good keeps no other from it; any other failure does, as a workload must find the new Secret.
 * @throws ProviderError with all that failed
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
  if (nodePod === undefined || files === undefined || deps.downstream.length === 0) {
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
      if (!FOR_GOOD.has(error.reason)) {
        break;
      }
    }
  }
  if (failures.length > 0) {
    throw ProviderError.all(failures);
  }
  mount.downstreamVersions = versions;
  const waits = results.flatMap(({ dueInMs }) => dueInMs ?? []);
  return {
    isNewerElsewhere: results.some(({ isNewerElsewhere }) => isNewerElsewhere === true),
    ...(waits.length > 0 && { dueInMs: Math.min(...waits) }),
  };
}
