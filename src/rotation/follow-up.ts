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
export interface FollowedMount {
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
  readonly asOf: number;
  files(): Promise<readonly PlannedFile[]>;
}

/** Whether it goes by the mount's files now, or by other ones that AWS told another node of later. */
export type Following = 'even' | 'ahead';

/** What goes by the files of a mount, one after the other: a workload that is rolled must find the new Secret. */
export interface Follower {
  /** Brings it to the mount's files, where it is not so already. @throws ProviderError */
  follow(mount: FollowedMount, signal: AbortSignal): Promise<Following>;
}

export interface FollowUpDeps {
  readonly clock: Clock;
  readonly followers: readonly Follower[];
  /** Absent where the driver writes. */
  readonly volumes?: Volumes;
}

/** Refusals that nobody waits out. */
const FOR_GOOD: ReadonlySet<FailureReason> = new Set(['SecretRefused', 'InvalidParameters']);

/**
 * Has Secrets and workloads follow what a mount holds, as far as its files are in sight: where the driver writes, they are while they pass
 * through. One that is refused for good keeps no other from it; any other failure does, as a workload must find the new Secret.
 * @returns `ahead` where any is
 * @throws ProviderError with all that failed
 */
export async function followUp(
  mount: NodeMount,
  { class: providerClass }: Pick<PresentCall, 'class'>,
  served: Pick<ServedMount, 'versions' | 'asOf' | 'files'>,
  deps: FollowUpDeps,
  signal: AbortSignal,
): Promise<Following> {
  const { targetPath, pod, volume, since, nodePod } = mount;
  const { versions } = served;
  const { volumes } = deps;
  const files = served.files ?? (volumes === undefined ? undefined : async () => (await volumes.read(mount)).files);
  if (nodePod === undefined || files === undefined || deps.followers.length === 0) {
    return 'even';
  }
  if (providerClass instanceof ProviderError) {
    throw providerClass;
  }
  const followed: FollowedMount = {
    targetPath,
    pod,
    nodePod,
    volume,
    class: providerClass,
    since,
    versions,
    asOf: deps.clock.wallNow() - (deps.clock.now() - served.asOf),
    files: typeof files === 'function' ? files : async () => files,
  };
  const outcomes = new Set<Following>();
  const failures: ProviderError[] = [];
  for (const follower of deps.followers) {
    try {
      outcomes.add(await follower.follow(followed, signal));
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
  mount.followed = versions;
  return outcomes.has('ahead') ? 'ahead' : 'even';
}
