import { type ClassOptions, NAMESPACE, type PodOptions, type TestCluster } from '../rotation/cluster.ts';

export const INTERVAL_MS = 500;
export const SYNC_ONLY = ['--sync-secret', `--rotation-poll-interval=${INTERVAL_MS}ms`];
export const SYNC = ['--enable-secret-rotation', ...SYNC_ONLY];
/** For effects of one of the next polls, on a busy machine. */
export const SOON = { timeout: 60_000, interval: 25 };
export const SECRETS = `/api/v1/namespaces/${NAMESPACE}/secrets`;

const AS_OF = 'aws-secrets-csi/as-of';

/** The fields of a Kubernetes Secret that tests check. */
export interface SecretView {
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly type: unknown;
  readonly isImmutable: boolean;
  /** By key, decoded. */
  readonly data: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Except for the provider's own. */
  readonly annotations: Readonly<Record<string, string>>;
  /** `<kind> <name>`, sorted. */
  readonly owners: readonly string[];
  /** Wall clock; NaN if there is none. */
  readonly confirmedAt: number;
}

export function secretIn({ api }: Pick<TestCluster, 'api'>, name: string): SecretView | undefined {
  const found = api.find(`${SECRETS}/${name}`);
  if (found === undefined) {
    return undefined;
  }
  const { uid, resourceVersion, labels = {}, annotations = {}, ownerReferences = [] } = found.metadata;
  const data = (found['data'] ?? {}) as Readonly<Record<string, string>>;
  return {
    uid,
    resourceVersion,
    type: found['type'],
    isImmutable: found['immutable'] === true,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    ),
    labels,
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !key.startsWith('aws-secrets-csi/'))),
    owners: ownerReferences.map((owner) => `${owner.kind} ${owner.name}`).toSorted(),
    confirmedAt: Date.parse(annotations[AS_OF] ?? ''),
  };
}

/** Writes of a Secret from the given request on: method, and for an apply the field manager. */
export function writesOf({ api }: Pick<TestCluster, 'api'>, name: string, since = 0): readonly string[] {
  return api.requests.slice(since).flatMap((request) => {
    const [method = '', target = ''] = request.split(' ');
    const { pathname, searchParams } = new URL(target, 'http://api');
    const manager = searchParams.get('fieldManager');
    const isWrite = method !== 'GET' && pathname === `${SECRETS}/${name}`;
    return isWrite ? [manager === null ? method : `${method} ${manager}`] : [];
  });
}

/** @returns the writes of a Secret within this many polls */
export async function writesWithin(looks: number, cluster: Pick<TestCluster, 'api' | 'clock'>, name: string) {
  const before = cluster.api.requests.length;
  await cluster.clock.sleep(looks * INTERVAL_MS);
  return writesOf(cluster, name, before);
}

/** Polls without a write after which a Secret is at rest, and how often this is waited for on a busy machine. */
const QUIET_LOOKS = 3;
const WAITS = 8;

/** @throws Error with the writes, if they do not end */
export async function comesToRest(cluster: Pick<TestCluster, 'api' | 'clock'>, name: string): Promise<void> {
  const before = cluster.api.requests.length;
  for (let wait = 0; wait < WAITS; wait++) {
    if ((await writesWithin(QUIET_LOOKS, cluster, name)).length === 0) {
      return;
    }
  }
  throw new Error(`the Secret ${name} does not come to rest: ${writesOf(cluster, name, before).join(', ')}`);
}

/** A value in Secrets Manager, and a class that mounts it and creates a Secret with it as `password`; all with this name. */
export async function addClass(
  cluster: TestCluster,
  name: string,
  value: string,
  options: Partial<ClassOptions> = {},
): Promise<void> {
  await cluster.seed.secret(name, value);
  await cluster.applyClass(name, {
    objects: [objectOf(name)],
    secretObjects: [secretObject(name, { password: name })],
    ...options,
  });
}

export function objectOf(objectName: string): Readonly<Record<string, string>> {
  return { objectName, objectType: 'secretsmanager' };
}

/** An entry of `secretObjects`. @param files by key */
export function secretObject(
  secretName: string,
  files: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): object {
  const data = Object.entries(files).map(([key, objectName]) => ({ key, objectName }));
  return { secretName, type: 'Opaque', data, ...more };
}

export function ownedBy(name: string, kind = 'ReplicaSet'): NonNullable<PodOptions['owner']> {
  return { apiVersion: 'apps/v1', kind, name, uid: uidOf(name) };
}

export function uidOf(owner: string): string {
  return `uid-of-${owner}`;
}
