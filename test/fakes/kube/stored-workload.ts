import { CLASS } from './mounts.ts';
import type { Workload, WorkloadApi, WorkloadPatch } from '../../../src/restart/workload-api.ts';

/** One Deployment in memory; a patch of an older resourceVersion is refused as by the API server. */
export interface StoredWorkload {
  readonly api: WorkloadApi;
  /** Patches that changed the pods' template, in order. */
  readonly rolls: readonly WorkloadPatch[];
  readonly reads: number;
  /** Of the Deployment itself. */
  annotation(name: string): string | undefined;
  /** Opts in to restarts. */
  mark(): void;
  remove(): void;
}

const MARK = ['aws-secrets-csi/restart-on-rotation', 'true'] as const;

export function createStoredWorkload({ isMarked = true }: { readonly isMarked?: boolean } = {}): StoredWorkload {
  const rolls: WorkloadPatch[] = [];
  let reads = 0;
  let version = 1;
  let stored: Workload | undefined = {
    kind: 'Deployment',
    namespace: 'shop',
    name: 'web',
    resourceVersion: '1',
    annotations: new Map(isMarked ? [MARK] : []),
    volumes: new Map(['secrets', 'more'].map((volume) => [volume, new Map([['secretProviderClass', CLASS]])])),
  };

  function write(before: Workload, { annotations = {} }: WorkloadPatch): void {
    version += 1;
    stored = {
      ...before,
      resourceVersion: String(version),
      annotations: new Map([...before.annotations, ...Object.entries(annotations)]),
    };
  }

  return {
    rolls,
    get reads() {
      return reads;
    },
    api: {
      async workloadOf() {
        reads += 1;
        return await Promise.resolve(stored);
      },
      async patch(workload, patch) {
        if (stored?.resourceVersion !== workload.resourceVersion) {
          return await Promise.resolve('changed');
        }
        write(stored, patch);
        const { templateAnnotations: before } = rolls.at(-1) ?? {};
        if (Object.entries(patch.templateAnnotations ?? {}).some(([name, value]) => before?.[name] !== value)) {
          rolls.push(patch);
        }
        return 'written';
      },
    },
    annotation: (name) => stored?.annotations.get(name),
    mark() {
      if (stored !== undefined) {
        write(stored, { annotations: Object.fromEntries([MARK]) });
      }
    },
    remove() {
      stored = undefined;
    },
  };
}
