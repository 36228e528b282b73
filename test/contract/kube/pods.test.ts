import { describe, expect, it } from 'vitest';
import { createPodApi } from '../../../src/kube/pods.ts';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { failureOf, NEVER, ownerRef, startKube } from './kube-fixture.ts';

function csi(secretProviderClass: string, driver = 'secrets-store.csi.k8s.io') {
  return { csi: { driver, volumeAttributes: { secretProviderClass } } };
}

function pod(name: string, more: Partial<KubeObject> = {}, namespace = 'shop'): KubeObject {
  return {
    kind: 'Pod',
    spec: { nodeName: 'node-1', serviceAccountName: 'web' },
    ...more,
    metadata: { namespace, name, uid: `uid-of-${name}`, ...more.metadata },
  };
}

describe('the pods of a node', () => {
  it('are those that run on it, of all namespaces, with what they mount', async () => {
    const volumes = [
      { name: 'db', ...csi('db') },
      { name: 'other', ...csi('x', 'other.csi') },
      { name: 'plain', emptyDir: {} },
    ];
    await using fixture = await startKube({
      objects: [
        pod('web-1', { spec: { nodeName: 'node-1', serviceAccountName: 'web', volumes } }),
        pod('web-2', { spec: { nodeName: 'node-1' } }, 'other'),
        pod('web-3', { spec: { nodeName: 'node-2' } }),
      ],
    });

    const pods = await createPodApi(fixture.kube).listPods('node-1', NEVER);

    expect(pods).toEqual([
      {
        ref: { namespace: 'shop', name: 'web-1', uid: 'uid-of-web-1', serviceAccount: 'web' },
        isOver: false,
        owner: { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'uid-of-web-1' },
        volumes: new Map([['db', new Map([['secretProviderClass', 'db']])]]),
      },
      expect.objectContaining({
        ref: { namespace: 'other', name: 'web-2', uid: 'uid-of-web-2', serviceAccount: 'default' },
        volumes: new Map(),
      }),
    ]);
    expect(fixture.api.requests).toEqual(['GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&resourceVersion=0']);
  });

  it.for<readonly [string, boolean, Partial<KubeObject>]>([
    ['running', false, { status: { phase: 'Running' } }],
    ['pending', false, { status: { phase: 'Pending' } }],
    ['succeeded', true, { status: { phase: 'Succeeded' } }],
    ['failed', true, { status: { phase: 'Failed' } }],
    ['being deleted', true, { metadata: { name: 'web-1', deletionTimestamp: '2026-01-01T00:00:00Z' } }],
  ])('know whether they are over: %s', async ([, isOver, more]) => {
    await using fixture = await startKube({ objects: [pod('web-1', more)] });

    const pods = await createPodApi(fixture.kube).listPods('node-1', NEVER);

    expect(pods).toMatchObject([{ isOver }]);
  });

  it.for([
    ['its controller', [ownerRef('a'), { ...ownerRef('b'), controller: true }], ownerRef('b')],
    ['its first owner without one', [ownerRef('a'), ownerRef('b')], ownerRef('a')],
  ] as const)('are owned by %s', async ([, ownerReferences, owner]) => {
    await using fixture = await startKube({
      objects: [pod('web-1', { metadata: { name: 'web-1', ownerReferences } })],
    });

    const pods = await createPodApi(fixture.kube).listPods('node-1', NEVER);

    expect(pods.map((found) => found.owner)).toEqual([owner]);
  });

  it('name the way out where they may not be listed', async () => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'status', status: 403, message: 'pods is forbidden' };

    const error = await failureOf(createPodApi(fixture.kube).listPods('node-1', NEVER));

    expect(error).toMatchObject({
      reason: 'KubernetesUnavailable',
      message:
        'cannot list pods: the API server answered 403 (pods is forbidden); allow the provider\'s service account to "list" "pods" ' +
        'by a ClusterRole (the chart makes it: enableSecretRotation or syncSecret.enabled)',
    });
  });
});

describe('the pods of an owner', () => {
  it('are those of its namespace that have it among their owners, or are it, and are not over', async () => {
    const metadata = { name: '', ownerReferences: [ownerRef('x'), ownerRef('owner')] };
    function owned(name: string, more: Partial<KubeObject> = {}, namespace = 'shop'): KubeObject {
      return pod(name, { ...more, metadata: { ...metadata, name } }, namespace);
    }
    await using fixture = await startKube({
      objects: [
        owned('web-1', { spec: { nodeName: 'node-1' } }),
        owned('web-2', { spec: { nodeName: 'node-2' } }),
        owned('web-3', { status: { phase: 'Succeeded' } }),
        owned('web-4', {}, 'other'),
        pod('web-5'),
      ],
    });
    const api = createPodApi(fixture.kube);

    const [ofOwner, ofItself] = [
      await api.podsOf('shop', 'owner', NEVER),
      await api.podsOf('shop', 'uid-of-web-5', NEVER),
    ];

    expect(ofOwner.map(({ ref }) => ref.name)).toEqual(['web-1', 'web-2']);
    expect(ofItself.map(({ ref }) => ref.name)).toEqual(['web-5']);
  });
});

describe('a pod', () => {
  it.for([
    ['found', 'web-1', 'uid-of-web-1', true],
    ['not another of its name', 'web-1', 'older', false],
    ['not there', 'web-2', 'uid-of-web-2', false],
  ] as const)('is %s', async ([, name, uid, isFound]) => {
    await using fixture = await startKube({ objects: [pod('web-1')] });

    const found = await createPodApi(fixture.kube).getPod({ namespace: 'shop', name, uid }, NEVER);

    expect(found?.ref.uid).toBe(isFound ? uid : undefined);
  });
});
