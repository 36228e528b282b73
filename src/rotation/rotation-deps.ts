import type { DownstreamStep } from '../model/downstream.ts';
import type { NodePod, PodEvent, ProviderClass } from '../model/kube-objects.ts';
import type { MountSpec, PodRef } from '../model/mount-spec.ts';
import type { ServeDeps, SpecDeps } from '../mount/serve.ts';
import type { Logger } from '../observability/logger.ts';
import type { NodeMount } from './node-mounts.ts';

/** What a poll needs. */
export interface PollDeps extends SpecDeps, ServeDeps {
  /** Mounts of classes with another `provider` are ignored. */
  readonly providerName: string;
  /** Whether to ask AWS for new versions. If false, only the downstream steps run, for what was mounted last. */
  readonly rotates: boolean;
  /** Longest time for one mount, in milliseconds. */
  readonly mountTimeoutMs: number;
  readonly downstream: readonly DownstreamStep[];
  /** Fetches everything that the specs ask for from AWS now, each object once. Does not throw: the failures surface when a mount is served. */
  refresh(specs: readonly MountSpec[], signal: AbortSignal): Promise<void>;
  /** @throws ProviderError */
  classOf(namespace: string, name: string, signal: AbortSignal): Promise<ProviderClass>;
  /** Reads a pod as it is now. @returns undefined if it no longer exists. @throws ProviderError */
  podOf(pod: PodRef, signal: AbortSignal): Promise<NodePod | undefined>;
  /** Writes the versions into the SecretProviderClassPodStatus, which the driver reads too. @throws ProviderError */
  noteVersions(mount: NodeMount, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void>;
  /**
   * Reads the versions by file from there: what the pod was last given, for mounts that are older than this process.
   * @returns undefined if there are none. @throws ProviderError
   */
  notedVersions(mount: NodeMount, signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined>;
}

/** What the reconciler needs from the edges, and its settings. */
export interface RotationDeps extends PollDeps {
  readonly log: Logger;
  readonly nodeName: string;
  /** The kubelet's root directory, which contains the volumes. */
  readonly kubeletDir: string;
  /** Milliseconds from one poll of a mount to the next, for classes without `rotationPollInterval`. */
  readonly intervalMs: number;
  /** Lists the pods of this node; the list may be some seconds old. @throws ProviderError */
  listPods(signal: AbortSignal): Promise<readonly NodePod[]>;
  /** Releases what depends on a mount that no longer exists. @throws ProviderError */
  drop(targetPath: string, signal: AbortSignal): Promise<void>;
  /** Repeats an equal event only after some minutes. Never throws. */
  recordEvent(event: PodEvent, signal: AbortSignal): Promise<void>;
}
