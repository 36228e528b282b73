import { ProviderError } from '../errors.ts';
import type { PlannedFile } from '../mount/plan.ts';
import type { ServedMount } from '../mount/serve.ts';
import type { ObjectRef, ProviderClass } from '../spec/kube-objects.ts';
import type { PodRef } from '../spec/mount-spec.ts';
import type { NodeMount } from './node-mounts.ts';

/** A mount's files, for those that go by them. */
export interface FollowedMount {
  readonly targetPath: string;
  readonly pod: PodRef;
  /** Who made the pod. */
  readonly owner: ObjectRef;
  /** Name of the volume in the pod. */
  readonly volume: string;
  readonly class: ProviderClass;
  /** By file. */
  readonly versions: ReadonlyMap<string, string>;
  /** Wall clock in milliseconds: when AWS said that these are the versions. */
  readonly asOf: number;
  files(): Promise<readonly PlannedFile[]>;
}

/** What goes by the files of a mount, one after the other: a workload that is rolled must find the new Secret. */
export interface Follower {
  /** Brings it to the mount's files; does nothing where it is so already. @throws ProviderError */
  follow(mount: FollowedMount, signal: AbortSignal): Promise<void>;
}

export interface FollowUpDeps {
  readonly followers: readonly Follower[];
  /** @throws ProviderError */
  ownerOf(mount: NodeMount, signal: AbortSignal): Promise<ObjectRef | undefined>;
  /** Files of a volume. @throws ProviderError */
  read(targetPath: string): Promise<readonly PlannedFile[]>;
}

/**
 * Has Secrets and workloads follow what a mount holds. One that fails keeps no other from it.
 * @throws ProviderError with all that failed
 */
export async function followUp(
  mount: NodeMount,
  {
    class: providerClass,
    served,
  }: { readonly class: ProviderClass; readonly served: Pick<ServedMount, 'versions' | 'asOf' | 'files'> },
  deps: FollowUpDeps,
  signal: AbortSignal,
): Promise<void> {
  const owner = await deps.ownerOf(mount, signal);
  if (owner === undefined) {
    // The pod has gone meanwhile: nobody needs what it held.
    return;
  }
  const { targetPath, pod, volume } = mount;
  const { versions, files } = served;
  const followed: FollowedMount = {
    targetPath,
    pod,
    owner,
    volume,
    class: providerClass,
    versions,
    asOf: Date.now() - (performance.now() - served.asOf),
    files: async () => files ?? (await deps.read(targetPath)),
  };
  const failures: ProviderError[] = [];
  for (const follower of deps.followers) {
    await follower.follow(followed, signal).catch((error: unknown) => failures.push(ProviderError.from(error)));
  }
  if (failures.length > 0) {
    throw ProviderError.all(failures);
  }
  mount.followed = versions;
}
