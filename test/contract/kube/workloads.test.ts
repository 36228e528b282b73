import { describe, expect, it } from 'vitest';
import { createWorkloadApi } from '../../../src/kube/workloads.ts';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { failureOf, NEVER, startKube } from './kube-fixture.ts';

const APPS = '/apis/apps/v1/namespaces/shop';

function workload(kind: string, name: string, more: Partial<KubeObject> = {}): KubeObject {
  const volumes = [
    { name: 'db', csi: { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'db' } } },
  ];
  return {
    apiVersion: 'apps/v1',
    kind,
    spec: { template: { metadata: { annotations: { t: '1' } }, spec: { volumes } } },
    ...more,
    metadata: { namespace: 'shop', name, uid: `uid-of-${name}`, annotations: { a: '1' }, ...more.metadata },
  };
}

function refTo(kind: string, name: string, uid = `uid-of-${name}`) {
  return { apiVersion: 'apps/v1', kind, name, uid };
}

const REPLICA_SET = workload('ReplicaSet', 'web-5', {
  metadata: { name: 'web-5', ownerReferences: [{ ...refTo('Deployment', 'web'), controller: true }] },
});

describe('the workload of an owner', () => {
  it.for(['StatefulSet', 'DaemonSet', 'Deployment'])('is the %s itself', async (kind) => {
    await using fixture = await startKube({ objects: [workload(kind, 'web')] });

    const found = await createWorkloadApi(fixture.kube).workloadOf('shop', refTo(kind, 'web'), NEVER);

    expect(found).toEqual({
      kind,
      namespace: 'shop',
      name: 'web',
      resourceVersion: expect.stringMatching(/^\d+$/),
      annotations: new Map([['a', '1']]),
      templateAnnotations: new Map([['t', '1']]),
      volumes: new Map([['db', new Map([['secretProviderClass', 'db']])]]),
    });
  });

  it('is the Deployment of a ReplicaSet, which is read once', async () => {
    await using fixture = await startKube({ objects: [workload('Deployment', 'web'), REPLICA_SET] });
    const api = createWorkloadApi(fixture.kube);

    await api.workloadOf('shop', refTo('ReplicaSet', 'web-5'), NEVER);
    const found = await api.workloadOf('shop', refTo('ReplicaSet', 'web-5'), NEVER);

    expect(found).toMatchObject({ kind: 'Deployment', name: 'web' });
    expect(fixture.api.requests).toEqual([
      `GET ${APPS}/replicasets/web-5`,
      `GET ${APPS}/deployments/web`,
      `GET ${APPS}/deployments/web`,
    ]);
  });

  it.for<readonly [string, readonly KubeObject[], ReturnType<typeof refTo>]>([
    ['a Job', [], { ...refTo('Job', 'web'), apiVersion: 'batch/v1' }],
    ["somebody else's Deployment", [], { ...refTo('Deployment', 'web'), apiVersion: 'other/v1' }],
    ['a ReplicaSet that has gone', [], refTo('ReplicaSet', 'web-5')],
    ['a ReplicaSet whose Deployment has gone', [REPLICA_SET], refTo('ReplicaSet', 'web-5')],
    ['a ReplicaSet of nobody', [workload('ReplicaSet', 'web-5')], refTo('ReplicaSet', 'web-5')],
    ['one of the same name', [workload('Deployment', 'web')], refTo('Deployment', 'web', 'older')],
  ])('is none for %s', async ([, objects, owner]) => {
    await using fixture = await startKube({ objects });

    const found = await createWorkloadApi(fixture.kube).workloadOf('shop', owner, NEVER);

    expect(found).toBeUndefined();
  });

  it('cannot be found without the right, and the error says how to get it', async () => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'status', status: 403, message: 'forbidden' };

    const error = await failureOf(
      createWorkloadApi(fixture.kube).workloadOf('shop', refTo('ReplicaSet', 'web-5'), NEVER),
    );

    expect(error).toMatchObject({
      reason: 'KubernetesUnavailable',
      message:
        'cannot read ReplicaSet "shop/web-5": the API server answered 403 (forbidden); allow the provider\'s service account ' +
        'to "get" "replicasets" by a ClusterRole (the chart makes it: restartOnRotation.enabled)',
    });
  });
});

describe('a patch of a workload', () => {
  it('adds annotations to it and to its pods', async () => {
    await using fixture = await startKube({ objects: [workload('DaemonSet', 'web')] });
    const api = createWorkloadApi(fixture.kube);
    const found = (await api.workloadOf('shop', refTo('DaemonSet', 'web'), NEVER))!;

    const outcome = await api.patch(found, { annotations: { b: '2' }, templateAnnotations: { v: '2' } }, NEVER);

    expect(outcome).toBe('written');
    const { annotations, templateAnnotations } = (await api.workloadOf('shop', refTo('DaemonSet', 'web'), NEVER))!;
    expect([Object.fromEntries(annotations), Object.fromEntries(templateAnnotations)]).toEqual([
      { a: '1', b: '2' },
      { t: '1', v: '2' },
    ]);
    expect(fixture.api.requests).toContain(`PATCH ${APPS}/daemonsets/web?fieldManager=aws-secrets-csi`);
  });

  it.for(['is no longer as it was read', 'has gone'])('changes nothing where it %s', async (what) => {
    await using fixture = await startKube({ objects: [workload('DaemonSet', 'web')] });
    const api = createWorkloadApi(fixture.kube);
    const found = (await api.workloadOf('shop', refTo('DaemonSet', 'web'), NEVER))!;
    if (what === 'has gone') {
      fixture.api.remove(`${APPS}/daemonsets/web`);
    } else {
      fixture.api.put(workload('DaemonSet', 'web', { metadata: { name: 'web', annotations: { a: '9' } } }));
    }

    const outcome = await api.patch(found, { templateAnnotations: { v: '2' } }, NEVER);

    expect(outcome).toBe('changed');
  });
});
