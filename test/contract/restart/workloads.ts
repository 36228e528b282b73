import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ExpectStatic } from 'vitest';
import type { WorkloadKind } from '../../../src/restart/workload-api.ts';
import {
  type ClusterNode,
  NAMESPACE,
  type PodOptions,
  type StartedPod,
  type TestCluster,
} from '../rotation/cluster.ts';
import { attributesFor, noteStatus, PODS } from '../rotation/objects.ts';
import { ownedBy, SOON, uidOf } from '../sync/synced.ts';

const ANNOTATED = { 'aws-secrets-csi/restart-on-rotation': 'true' };
const NEVER = new AbortController().signal;

type Owner = NonNullable<PodOptions['owner']>;

/** The relevant annotations. */
export interface WorkloadView {
  /** Of the workload: what its pods mount. */
  readonly noted: string | undefined;
  readonly restartedAt: string | undefined;
  /** Of the pod template: a change restarts the workload. */
  readonly template: string | undefined;
}

/** @param volumes class by the volume's name. @returns the controller of its pods */
export function addWorkload(
  { api }: TestCluster,
  kind: WorkloadKind,
  name: string,
  volumes: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>> = ANNOTATED,
): Owner {
  api.put({
    apiVersion: 'apps/v1',
    kind,
    metadata: { namespace: NAMESPACE, name, uid: uidOf(name), annotations },
    spec: {
      selector: { matchExpressions: [{ key: 'app', operator: 'In', values: [name, `${name}-1`, `${name}-2`] }] },
      template: {
        metadata: { labels: { app: name } },
        spec: { volumes: Object.entries(volumes).map(([volume, className]) => csiVolume(volume, className)) },
      },
    },
  });
  return kind === 'Deployment' ? addReplicaSet({ api }, name, 1) : ownedBy(name, kind);
}

/** The Deployment creates one for each template. */
export function addReplicaSet({ api }: Pick<TestCluster, 'api'>, deployment: string, nth: number): Owner {
  const name = `${deployment}-${nth}`;
  const { template } = api.find(workloadPath('Deployment', deployment))!['spec'] as { readonly template: object };
  api.put({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      namespace: NAMESPACE,
      name,
      uid: uidOf(name),
      ownerReferences: [{ ...ownedBy(deployment, 'Deployment'), controller: true }],
    },
    spec: { selector: { matchLabels: { app: name } }, template },
  });
  return ownedBy(name);
}

export function workloadPath(kind: WorkloadKind, name: string): string {
  return `/apis/apps/v1/namespaces/${NAMESPACE}/${kind.toLowerCase()}s/${name}`;
}

export function workloadIn({ api }: Pick<TestCluster, 'api'>, kind: WorkloadKind, name: string): WorkloadView {
  const found = api.find(workloadPath(kind, name));
  const spec = found?.['spec'] as { template: { metadata: { annotations?: Readonly<Record<string, string>> } } };
  const { annotations = {} } = found?.metadata ?? {};
  return {
    noted: annotations['aws-secrets-csi/mounted-versions'],
    restartedAt: annotations['aws-secrets-csi/restarted-at'],
    template: spec.template.metadata.annotations?.['aws-secrets-csi/versions'],
  };
}

/**
 * Waits until the versions that a workload's pods mount are recorded, volume by volume: earlier ones are not a change.
 * @param expect that of the test, as others may run at the same time
 */
export async function untilNoted(
  expect: ExpectStatic,
  cluster: TestCluster,
  kind: WorkloadKind,
  name: string,
  volumes: readonly string[] = ['secrets'],
): Promise<void> {
  await expect
    .poll(() => Object.keys(JSON.parse(workloadIn(cluster, kind, name).noted ?? '{}') as object), SOON)
    .toEqual(volumes);
}

/** The versions for which a workload is restarted from now on, in order. */
export interface Rolls extends Disposable {
  readonly seen: readonly WorkloadView[];
}

/** Reads a workload right before each request that changes it, and at the end. */
export function watchRolls(
  cluster: TestCluster,
  kind: WorkloadKind,
  name: string,
  atChange: () => void = () => undefined,
): Rolls {
  const seen: WorkloadView[] = [];
  function look(): void {
    const view = workloadIn(cluster, kind, name);
    if (view.restartedAt !== undefined && view.restartedAt !== seen.at(-1)?.restartedAt) {
      seen.push(view);
    }
  }
  const watching = cluster.api.inject({ kind: 'delay', ms: 0 }, (method, path) => {
    if (method === 'PATCH' && path === workloadPath(kind, name)) {
      look();
      atChange();
    }
    return false;
  });
  return {
    get seen() {
      look();
      return seen;
    },
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

/** A pod that mounts a second class, in a volume of its own. */
export async function mountSecond(
  { kube }: TestCluster,
  node: ClusterNode,
  pod: StartedPod,
  volume: string,
  className: string,
): Promise<void> {
  await kube.patch(`${PODS}/${pod.name}`, {
    spec: { volumes: [csiVolume('secrets', pod.className), csiVolume(volume, className)] },
  });
  const targetPath = join(dirname(dirname(pod.targetPath)), volume, 'mount');
  await mkdir(targetPath, { recursive: true });
  const second = { ...pod, className, targetPath };
  const attributes = await attributesFor(second, kube);
  const call = { attributes, secrets: 'null', targetPath, permission: '420', currentObjectVersion: [] };
  await noteStatus(second, await node.client.mount(call, NEVER), node.name, kube);
}

function csiVolume(name: string, secretProviderClass: string): object {
  return { name, csi: { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass } } };
}
