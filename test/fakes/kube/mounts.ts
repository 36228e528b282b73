import type { RefreshedMount } from '../../../src/model/downstream.ts';
import type { NodePod, ObjectRef } from '../../../src/model/kube-objects.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';

/** A mount as a test describes it. */
export interface MountWords {
  readonly pod: string;
  /** Name of the ReplicaSet. */
  readonly owner?: string;
  readonly volume?: string;
  readonly className?: string;
  readonly secretObjects?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
  /** The content of each file, which is also its version. */
  readonly files?: Readonly<Record<string, string>>;
  readonly confirmedAt?: number;
  /** Since when it is known. */
  readonly since?: number;
}

export const NAMESPACE = 'shop';
export const CLASS = 'class';
export const DB = [{ secretName: 'db', type: 'Opaque', data: [{ objectName: 'db', key: 'password' }] }];

export function mountOf({
  pod,
  owner = 'web',
  volume = 'secrets',
  className = CLASS,
  secretObjects = DB,
  annotations = {},
  files = { db: 'v1' },
  confirmedAt = 1_000,
  since = 0,
}: MountWords): RefreshedMount {
  return {
    targetPath: `/pods/${pod}/mount`,
    volume,
    nodePod: podOf(pod, owner),
    class: {
      namespace: NAMESPACE,
      name: className,
      provider: 'aws',
      parameters: new Map(),
      annotations: new Map(Object.entries(annotations)),
      secretObjects,
    },
    since,
    confirmedAt,
    versions: new Map(Object.entries(files)),
    async files() {
      return Object.entries(files).map(([path, text]) => ({ path, mode: 0o400, value: SecretBytes.fromText(text) }));
    },
  };
}

export function podOf(pod: string, owner = 'web', changes: Partial<NodePod> = {}): NodePod {
  return {
    ref: { namespace: NAMESPACE, name: pod, uid: `${pod}-uid`, serviceAccount: 'default' },
    hasEnded: false,
    isTerminating: false,
    labels: new Map(),
    owner: replicaSet(owner),
    volumes: new Map([['secrets', new Map([['secretProviderClass', CLASS]])]]),
    ...changes,
  };
}

export function replicaSet(name: string): ObjectRef {
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: `${name}-uid` };
}
