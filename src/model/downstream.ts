import type { NodePod, ProviderClass } from './kube-objects.ts';
import type { PlannedFile } from './mount-plan.ts';

/** A Secrets Store volume of a pod on this node. */
export interface PodVolume {
  readonly targetPath: string;
  /** Name of the volume in the pod. */
  readonly volume: string;
}

/** A mount whose files are up to date, as the downstream steps receive it. */
export interface RefreshedMount extends PodVolume {
  /** The pod as last read from the API server. Its owner is what the pod's author wrote, and is not verified. */
  readonly nodePod: NodePod;
  readonly class: ProviderClass;
  /** Monotonic clock: since when this process knows the mount. */
  readonly since: number;
  /** Version by file. Equal versions mean equal files, which then need not be read. */
  readonly versions: ReadonlyMap<string, string>;
  /** Wall clock in milliseconds, which other nodes can compare: when AWS confirmed that these versions are current. */
  readonly confirmedAt: number;
  files(): Promise<readonly PlannedFile[]>;
}

/** The result of a downstream step; without any field, it is done. */
export interface Verdict {
  /** The Secret or workload has other values, which AWS confirmed to another node later: when (wall clock). */
  readonly newerConfirmedAt?: number;
  /** Milliseconds until the step can be done, if it has to wait. */
  readonly dueInMs?: number;
}

/** Updates something that depends on the files of a mount. Steps run in order: a workload that restarts must find the new Secret. */
export interface DownstreamStep {
  /** Does nothing if it is up to date already. @throws ProviderError, or the signal's reason */
  update(mount: RefreshedMount, signal: AbortSignal): Promise<Verdict>;
}
