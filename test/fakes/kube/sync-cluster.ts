import { clockAt } from '../virtual-clock.ts';
import { ProviderError } from '../../../src/model/errors.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { NodePod, ObjectRef, ProviderClass } from '../../../src/model/kube-objects.ts';
import type { StoredSecret } from '../../../src/sync/secret-api.ts';
import { createSecretSync, type SyncedMount } from '../../../src/sync/secret-sync.ts';
import { createMemorySecrets } from './memory-secrets.ts';

/** A mount as a test tells it. */
export interface MountWords {
  readonly pod: string;
  /** Name of the ReplicaSet. */
  readonly owner?: string;
  readonly secretObjects?: unknown;
  readonly annotations?: Readonly<Record<string, string>>;
  /** What each file holds, which is its version too. */
  readonly files?: Readonly<Record<string, string>>;
  readonly confirmedAt?: number;
  /** Since when it is known; the first node starts at 10,000. */
  readonly since?: number;
}

export const NAMESPACE = 'shop';
export const CLASS = 'class';
export const DB = [{ secretName: 'db', type: 'Opaque', data: [{ objectName: 'db', key: 'password' }] }];
export const SECRET = { namespace: NAMESPACE, name: 'db' };

export const VERIFY_MS = 60_000;
export const SIGNAL = new AbortController().signal;

/** Owners have no pods but those that are synced here. */
export const NO_OTHER_PODS = { podsOf: () => Promise.resolve([]), classOf: noClass };

export type Cluster = ReturnType<typeof createCluster>;

/** Secrets and pods, and any number of nodes, each with a process of its own. */
export function createCluster() {
  const secrets = createMemorySecrets();
  const pods: NodePod[] = [];
  const classes = new Map<string, ProviderClass>();
  let time = 10_000;

  async function stored(name = SECRET.name) {
    const found = await secrets.read({ namespace: NAMESPACE, name }, SIGNAL);
    // A test's own look is no call.
    secrets.calls.pop();
    return found;
  }

  return {
    secrets,
    pods,
    classes,
    node() {
      const sync = createSecretSync({
        secrets,
        podsOf: async (_namespace, { uid }) => pods.filter(({ owner }) => owner.uid === uid),
        classOf: async (_namespace, name) => classes.get(name) ?? (await noClass()),
        verifyMs: VERIFY_MS,
        clock: clockAt(() => time),
      });
      return {
        sync: (words: MountWords) => sync.sync(mountOf(words), SIGNAL),
        drop: (pod: string) => sync.drop(mountOf({ pod }).targetPath, SIGNAL),
      };
    },
    pass(ms: number) {
      time += ms;
    },
    stored,
    async shown(name?: string) {
      return show(await stored(name));
    },
    /** The calls since they were last asked for. */
    calls() {
      return secrets.calls.splice(0);
    },
  };
}

export function replicaSet(name: string): ObjectRef {
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', name, uid: `${name}-uid` };
}

export function mountOf({
  pod,
  owner = 'web',
  secretObjects = DB,
  annotations = {},
  files = { db: 'v1' },
  confirmedAt = 1_000,
  since = 0,
}: MountWords): SyncedMount {
  return {
    targetPath: `/pods/${pod}/mount`,
    pod: podRef(pod),
    owner: replicaSet(owner),
    class: {
      namespace: NAMESPACE,
      name: CLASS,
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
    ref: podRef(pod),
    hasEnded: false,
    isTerminating: false,
    labels: new Map(),
    owner: replicaSet(owner),
    volumes: new Map([['secrets', new Map([['secretProviderClass', CLASS]])]]),
    ...changes,
  };
}

/** What of a Secret tests look at. */
export function show(stored: StoredSecret | undefined) {
  return (
    stored && {
      type: stored.type,
      data: Object.fromEntries(Array.from(stored.data, ([key, value]) => [key, value.exposeText()])),
      owners: stored.owners.map(({ name }) => name).toSorted(),
      confirmedAt: Date.parse(stored.annotations.get('aws-secrets-csi/as-of') ?? ''),
    }
  );
}

function noClass(): Promise<never> {
  return Promise.reject(new ProviderError('ClassMissing', 'there is none'));
}

function podRef(name: string) {
  return { namespace: NAMESPACE, name, uid: `${name}-uid`, serviceAccount: 'default' };
}
