import { describe, expect, it } from 'vitest';
import type { Kube } from '../../../src/kube/client.ts';
import { createOwnerApi } from '../../../src/kube/owners.ts';
import { createWorkloadApi } from '../../../src/kube/workloads.ts';
import type { NodePod, ObjectRef } from '../../../src/model/kube-objects.ts';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { failureOf, NEVER, startKube } from './kube-fixture.ts';

const APPS = '/apis/apps/v1/namespaces/shop';
const MATCHING = { matchLabels: { app: 'web' } };

function volumeOf(secretProviderClass: string, name = 'db'): object {
  return { name, csi: { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass } } };
}

function workload(
  kind: string,
  name: string,
  more: Partial<KubeObject> = {},
  { selector = MATCHING, volumes = [volumeOf('db')] } = {},
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    spec: { selector, template: { metadata: { annotations: { t: '1' } }, spec: { volumes } } },
    ...more,
    metadata: { namespace: 'shop', name, uid: `uid-of-${name}`, annotations: { a: '1' }, ...more.metadata },
  };
}

function refTo(kind: string, name: string, uid = `uid-of-${name}`): ObjectRef {
  return { apiVersion: 'apps/v1', kind, name, uid };
}

const OF_WEB = { metadata: { name: 'web-5', ownerReferences: [{ ...refTo('Deployment', 'web'), controller: true }] } };
const REPLICA_SET = workload('ReplicaSet', 'web-5', OF_WEB);

function podOf(owner: ObjectRef, changes: Partial<NodePod> = {}): NodePod {
  return {
    ref: { namespace: 'shop', name: 'web-5-a', uid: 'uid-of-web-5-a', serviceAccount: 'web' },
    hasEnded: false,
    isTerminating: false,
    labels: new Map([
      ['app', 'web'],
      ['other', '1'],
    ]),
    owner,
    volumes: new Map([['db', new Map([['secretProviderClass', 'db']])]]),
    ...changes,
  };
}

function apiOf(kube: Kube) {
  return createWorkloadApi(kube, createOwnerApi(kube));
}

describe("the owner of a pod's Secret", () => {
  it.for<readonly [string, ObjectRef, ObjectRef]>([
    ['whom the pod names', refTo('StatefulSet', 'web'), refTo('StatefulSet', 'web')],
    [
      'the pod itself, where that was made anew under its name',
      refTo('StatefulSet', 'web', 'older'),
      { apiVersion: 'v1', kind: 'Pod', name: 'web-5-a', uid: 'uid-of-web-5-a' },
    ],
  ])('is %s', async ([, named, owner]) => {
    await using fixture = await startKube({ objects: [workload('StatefulSet', 'web')] });

    expect(await createOwnerApi(fixture.kube).ownerOf(podOf(named), 'db', NEVER)).toEqual(owner);
  });
});

describe('the workload of an owner', () => {
  it.for(['StatefulSet', 'DaemonSet'])('is the %s itself', async (kind) => {
    await using fixture = await startKube({ objects: [workload(kind, 'web')] });

    const found = await apiOf(fixture.kube).workloadOf(podOf(refTo(kind, 'web')), 'db', NEVER);

    expect(found).toEqual({
      kind,
      namespace: 'shop',
      name: 'web',
      resourceVersion: expect.stringMatching(/^\d+$/),
      annotations: new Map([['a', '1']]),
      volumes: new Map([['db', new Map([['secretProviderClass', 'db']])]]),
    });
  });

  it('is the Deployment of a ReplicaSet, which is read once', async () => {
    await using fixture = await startKube({ objects: [workload('Deployment', 'web'), REPLICA_SET] });
    const api = apiOf(fixture.kube);
    const pod = podOf(refTo('ReplicaSet', 'web-5'));

    await api.workloadOf(pod, 'db', NEVER);
    const found = await api.workloadOf(pod, 'db', NEVER);

    expect(found).toMatchObject({ kind: 'Deployment', name: 'web' });
    expect(fixture.api.requests).toEqual([
      `GET ${APPS}/replicasets/web-5`,
      `GET ${APPS}/deployments/web`,
      `GET ${APPS}/deployments/web`,
    ]);
  });

  it.for<readonly [string, readonly KubeObject[], ObjectRef]>([
    ['a Job', [], { ...refTo('Job', 'web'), apiVersion: 'batch/v1' }],
    ["another's Deployment", [], { ...refTo('Deployment', 'web'), apiVersion: 'other/v1' }],
    ['a ReplicaSet that has gone', [], refTo('ReplicaSet', 'web-5')],
    ['a ReplicaSet whose Deployment has gone', [REPLICA_SET], refTo('ReplicaSet', 'web-5')],
    ['a ReplicaSet without an owner', [workload('ReplicaSet', 'web-5')], refTo('ReplicaSet', 'web-5')],
    ['one of the same name', [workload('StatefulSet', 'web')], refTo('StatefulSet', 'web', 'older')],
  ])('is none for %s', async ([, objects, owner]) => {
    await using fixture = await startKube({ objects });

    const found = await apiOf(fixture.kube).workloadOf(podOf(owner), 'db', NEVER);

    expect(found).toBeUndefined();
  });

  const other = { matchLabels: { app: 'other' } };
  it.for<readonly [string, Parameters<typeof workload>[3], Parameters<typeof workload>[3], Partial<NodePod>?]>([
    ['the ReplicaSet does not select', { selector: other }, {}],
    ['the Deployment does not select', {}, { selector: other }],
    ['nothing selects', { selector: {} as typeof MATCHING }, {}],
    ['has another class there than the Deployment', {}, { volumes: [volumeOf('other')] }],
    ['has a volume that the Deployment has not', {}, { volumes: [volumeOf('db', 'other')] }],
    [
      'has another class there than both',
      {},
      {},
      { volumes: new Map([['db', new Map([['secretProviderClass', 'x']])]]) },
    ],
    ['has no labels', {}, {}, { labels: new Map() }],
  ])('is none for a forged owner: a pod that %s', async ([, ofReplicaSet, ofDeployment, changes]) => {
    await using fixture = await startKube({
      objects: [workload('ReplicaSet', 'web-5', OF_WEB, ofReplicaSet), workload('Deployment', 'web', {}, ofDeployment)],
    });

    const found = await apiOf(fixture.kube).workloadOf(podOf(refTo('ReplicaSet', 'web-5'), changes), 'db', NEVER);

    expect(found).toBeUndefined();
  });

  it('cannot be found without the permission, and the error says how to grant it', async () => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'status', status: 403, message: 'forbidden' };

    const error = await failureOf(apiOf(fixture.kube).workloadOf(podOf(refTo('ReplicaSet', 'web-5')), 'db', NEVER));

    expect(error).toMatchObject({
      reason: 'KubernetesUnavailable',
      message:
        'cannot read ReplicaSet "shop/web-5": the API server answered 403 (forbidden); allow the provider\'s service account ' +
        'to "get" "replicasets" by a ClusterRole (the chart makes it: syncSecret.enabled or restartOnRotation.enabled)',
    });
  });
});

describe('a patch of a workload', () => {
  it('adds annotations to it and to its pods', async () => {
    await using fixture = await startKube({ objects: [workload('DaemonSet', 'web')] });
    const api = apiOf(fixture.kube);
    const found = (await api.workloadOf(podOf(refTo('DaemonSet', 'web')), 'db', NEVER))!;

    const outcome = await api.patch(found, { annotations: { b: '2' }, templateAnnotations: { v: '2' } }, NEVER);

    expect(outcome).toBe('written');
    expect(fixture.api.find(`${APPS}/daemonsets/web`)).toMatchObject({
      metadata: { annotations: { a: '1', b: '2' } },
      spec: { template: { metadata: { annotations: { t: '1', v: '2' } } } },
    });
    expect(fixture.api.requests).toContain(`PATCH ${APPS}/daemonsets/web?fieldManager=aws-secrets-csi`);
  });

  it.for(['is no longer as it was read', 'has gone'])('changes nothing if it %s', async (what) => {
    await using fixture = await startKube({ objects: [workload('DaemonSet', 'web')] });
    const api = apiOf(fixture.kube);
    const found = (await api.workloadOf(podOf(refTo('DaemonSet', 'web')), 'db', NEVER))!;
    if (what === 'has gone') {
      fixture.api.remove(`${APPS}/daemonsets/web`);
    } else {
      fixture.api.put(workload('DaemonSet', 'web', { metadata: { name: 'web', annotations: { a: '9' } } }));
    }

    const outcome = await api.patch(found, { templateAnnotations: { v: '2' } }, NEVER);

    expect(outcome).toBe('changed');
  });
});
