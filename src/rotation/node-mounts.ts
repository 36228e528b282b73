import type { Clock } from '../concurrency/clock.ts';
import { CLASS_ATTRIBUTE, type NodePod } from '../model/kube-objects.ts';
import type { MountSpec, PodRef, ServiceAccountTokens } from '../model/mount-spec.ts';
import type { MountCall } from '../request/parse-request.ts';
import { volumeAt } from '../request/volume-path.ts';

/** A volume of a pod of this node, and what is known of it. Times are on the monotonic clock where nothing else is said. */
export interface NodeMount {
  readonly targetPath: string;
  readonly pod: PodRef;
  /** Name of the volume in the pod. */
  readonly volume: string;
  readonly className: string;
  /** Permission bits of files that name none. */
  readonly mode: number;
  /** Wall clock: since when it is known here. */
  readonly since: number;
  /** The newest that the driver sent. */
  tokens: ServiceAccountTokens;
  /** What the class and the pod last said; absent until they were read, or the driver called. */
  parameters?: ReadonlyMap<string, string>;
  /** The pod as the API server last told. */
  nodePod?: NodePod;
  /** What was last made of the parameters. */
  spec?: MountSpec;
  /** Versions by file that are noted in the pod's status; absent until it was read, or the driver called. */
  noted?: ReadonlyMap<string, string>;
  /** Versions by file in the volume, and the time as of which AWS said they are current. */
  current?: { readonly versions: ReadonlyMap<string, string>; readonly confirmedAt: number };
  /** Versions that Secrets and workloads were brought to. */
  downstreamVersions?: ReadonlyMap<string, string>;
  /** Time of the latest poll that a change event has asked for, which may be still to come. */
  eventAt: number;
  /** Failures in a row. */
  failures: number;
}

/** The mounts of a node, by target path: learned from Mount calls and from the API server, forgotten with their pods. */
export interface NodeMounts {
  all(): Iterable<NodeMount>;
  get(targetPath: string): NodeMount | undefined;
  /** A Mount call, with its newer tokens. @returns undefined for calls that do not say what a pod's volume they are for */
  learnCall(call: MountCall): NodeMount | undefined;
  learn(mount: Pick<NodeMount, 'targetPath' | 'pod' | 'volume' | 'className' | 'nodePod'>): NodeMount;
  forget(targetPath: string): void;
}

/** The driver's own default, 0644, in every call so far. */
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
        // Drivers before 1.6 leave the pod's own attributes out when they call again.
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
