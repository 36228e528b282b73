import type { Clock } from '../concurrency/clock.ts';
import type { PodVolume } from '../model/downstream.ts';
import { CLASS_ATTRIBUTE, type NodePod } from '../model/kube-objects.ts';
import type { MountSpec, PodRef, ServiceAccountTokens } from '../model/mount-spec.ts';
import type { ServedMount } from '../mount/serve.ts';
import type { MountCall } from '../request/parse-request.ts';
import { volumeAt } from '../request/volume-path.ts';

/** What this process knows of a volume of a pod on this node. Times are on the monotonic clock. */
interface Knowledge extends PodVolume {
  pod: PodRef;
  className: string;
  /** Permission bits of files without `filePermission`. */
  mode: number;
  /** Since when this process knows the mount. */
  since: number;
  /** The newest tokens that the driver sent. */
  tokens: ServiceAccountTokens;
  /** Parameters of the class and attributes of the pod, merged; absent until they were read or the driver called. */
  parameters?: ReadonlyMap<string, string>;
  /** The pod as last read from the API server. */
  nodePod?: NodePod;
  /** Result of the last successful parse of `parameters`. */
  spec?: MountSpec;
  /** Versions by file in the SecretProviderClassPodStatus; absent until it was read or the driver called. */
  noted?: ReadonlyMap<string, string>;
  /** Versions by file in the volume, and when AWS last confirmed that they are current. */
  current?: Pick<ServedMount, 'versions' | 'confirmedAt'>;
  /** Versions by file for which the downstream steps last succeeded. */
  downstreamVersions?: ReadonlyMap<string, string>;
  /** Time of the latest poll that a change event requested; it may be in the future. */
  eventAt: number;
  /** Consecutive failures. */
  failures: number;
}

interface Transitions {
  podRead(pod: NodePod): void;
  classRead(parameters: ReadonlyMap<string, string>): void;
  classParsed(spec: MountSpec): void;
  versionsNoted(versions: ReadonlyMap<string, string>): void;
  /** The volume has these versions. */
  confirmed(served: Pick<ServedMount, 'versions' | 'confirmedAt'>): void;
  /** A Mount call returned these versions to the driver, which records them in the pod's status. */
  mounted(served: ServedMount): void;
  downstreamUpdated(versions: ReadonlyMap<string, string>): void;
  pollRequested(at: number): void;
  /** @returns whether it failed before */
  pollEnded(isFailed: boolean): boolean;
}

/** A mount of this node. Only its own methods change it. */
export type NodeMount = Readonly<Knowledge> & Transitions;

/** The mounts of this node by target path. They are added by Mount calls and by discovery, and removed with their pods. */
export interface NodeMounts {
  all(): readonly NodeMount[];
  get(targetPath: string): NodeMount | undefined;
  /** Adds the mount of a call, or updates its tokens. @returns undefined if the call does not name the volume of a pod */
  learnCall(call: MountCall): NodeMount | undefined;
  learn(found: Pick<Knowledge, 'targetPath' | 'pod' | 'volume' | 'className' | 'nodePod'>): NodeMount;
  forget(targetPath: string): void;
}

/** The default of the driver. It has sent 0644 in every release so far. */
const DEFAULT_MODE = 0o644;

/**
 * @param kubeletDir the kubelet's root directory
 * @param onRemoved called with each mount that is no longer one of the node
 */
export function createNodeMounts(
  clock: Clock,
  kubeletDir: string,
  onRemoved: (mount: NodeMount) => void = () => undefined,
): NodeMounts {
  const mounts = new Map<string, Knowledge & Transitions>();

  function forget(targetPath: string): void {
    const mount = mounts.get(targetPath);
    mounts.delete(targetPath);
    if (mount !== undefined) {
      onRemoved(mount);
    }
  }

  function add(known: Omit<Knowledge, 'since' | 'eventAt' | 'failures'>): NodeMount {
    forget(known.targetPath);
    const mount = createMount({ ...known, since: clock.now(), eventAt: Number.NEGATIVE_INFINITY, failures: 0 });
    mounts.set(known.targetPath, mount);
    return mount;
  }

  return {
    all: () => [...mounts.values()],
    get: (targetPath) => mounts.get(targetPath),
    learnCall({ targetPath, pod, parameters, tokens, mode }) {
      const className = parameters.get(CLASS_ATTRIBUTE);
      const known = mounts.get(targetPath);
      if (known !== undefined && known.pod.uid === pod.uid && (className ?? known.className) === known.className) {
        known.tokens = tokens;
        // Drivers before 1.6 leave out the pod's own attributes when they call again.
        known.parameters = className === undefined ? (known.parameters ?? parameters) : parameters;
        return known;
      }
      const volume = volumeAt(targetPath, pod.uid, kubeletDir);
      return className === undefined || volume === undefined
        ? undefined
        : add({ targetPath, pod, volume, className, mode, tokens, parameters, noted: new Map() });
    },
    learn: (found) => add({ ...found, mode: DEFAULT_MODE, tokens: new Map() }),
    forget,
  };
}

function createMount(known: Knowledge): Knowledge & Transitions {
  const mount: Knowledge & Transitions = {
    ...known,
    podRead(pod) {
      mount.nodePod = pod;
    },
    classRead(parameters) {
      mount.parameters = parameters;
    },
    classParsed(spec) {
      mount.spec = spec;
    },
    versionsNoted(versions) {
      mount.noted = versions;
    },
    confirmed({ versions, confirmedAt }) {
      // Without the files: secrets are not kept longer than needed.
      mount.current = { versions, confirmedAt };
    },
    mounted(served) {
      mount.spec = served.spec;
      mount.noted = served.versions;
      mount.confirmed(served);
    },
    downstreamUpdated(versions) {
      mount.downstreamVersions = versions;
    },
    pollRequested(at) {
      mount.eventAt = at;
    },
    pollEnded(isFailed) {
      const wasFailing = mount.failures > 0;
      mount.failures = isFailed ? mount.failures + 1 : 0;
      return wasFailing;
    },
  };
  return mount;
}
