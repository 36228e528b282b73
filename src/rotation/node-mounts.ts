import type { Clock } from '../concurrency/clock.ts';
import { CLASS_ATTRIBUTE, type NodePod } from '../model/kube-objects.ts';
import type { MountSpec, PodRef, ServiceAccountTokens } from '../model/mount-spec.ts';
import type { MountCall } from '../request/parse-request.ts';
import { volumeAt } from '../request/volume-path.ts';

/** A volume of a pod on this node. Times are on the monotonic clock unless stated otherwise. */
export interface NodeMount {
  readonly targetPath: string;
  readonly pod: PodRef;
  /** Name of the volume in the pod. */
  readonly volume: string;
  readonly className: string;
  /** Permission bits of files without `filePermission`. */
  readonly mode: number;
  /** Wall clock: since when this process knows the mount. */
  readonly since: number;
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
  current?: { readonly versions: ReadonlyMap<string, string>; readonly confirmedAt: number };
  /** Versions by file for which the downstream steps last succeeded. */
  downstreamVersions?: ReadonlyMap<string, string>;
  /** Time of the latest poll that a change event requested; it may be in the future. */
  eventAt: number;
  /** Consecutive failures. */
  failures: number;
}

/** The mounts of this node by target path. They are added by Mount calls and by discovery, and removed with their pods. */
export interface NodeMounts {
  all(): Iterable<NodeMount>;
  get(targetPath: string): NodeMount | undefined;
  /** Adds the mount of a call, or updates its tokens. @returns undefined if the call does not name the volume of a pod */
  learnCall(call: MountCall): NodeMount | undefined;
  learn(mount: Pick<NodeMount, 'targetPath' | 'pod' | 'volume' | 'className' | 'nodePod'>): NodeMount;
  forget(targetPath: string): void;
}

/** The default of the driver. It has sent 0644 in every release so far. */
const DEFAULT_MODE = 0o644;

/** @param kubeletDir the kubelet's root directory */
export function createNodeMounts(kubeletDir: string, clock: Clock): NodeMounts {
  const mounts = new Map<string, NodeMount>();

  function add(fields: Omit<NodeMount, 'since' | 'eventAt' | 'failures'>): NodeMount {
    const mount = { ...fields, since: clock.wallNow(), eventAt: Number.NEGATIVE_INFINITY, failures: 0 };
    mounts.set(fields.targetPath, mount);
    return mount;
  }

  return {
    all: () => mounts.values(),
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
    learn: (mount) => add({ ...mount, mode: DEFAULT_MODE, tokens: new Map() }),
    forget(targetPath) {
      mounts.delete(targetPath);
    },
  };
}
