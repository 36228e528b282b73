import { describe, expect, it } from 'vitest';
import { createPodApi } from '../../../src/kube/pods.ts';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { failureOf, NEVER, ownerRef, startKube } from './kube-fixture.ts';

const ITSELF = { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'uid-of-web-1' };

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
  it('are those that run on it, of all namespaces, with their volumes', async () => {
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
        hasEnded: false,
        isTerminating: false,
        labels: new Map(),
        owner: { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'uid-of-web-1' },
        volumes: new Map([['db', new Map([['secretProviderClass', 'db']])]]),
      },
      expect.objectContaining({
        ref: { namespace: 'other', name: 'web-2', uid: 'uid-of-web-2', serviceAccount: 'default' },
        volumes: new Map(),
      }),
    ]);
    expect(fixture.api.requests).toEqual([
      'GET /api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&limit=100&resourceVersion=0',
    ]);
  });

  it.for<readonly [string, Partial<KubeObject>, hasEnded: boolean, isTerminating: boolean]>([
    ['running', { status: { phase: 'Running' } }, false, false],
    ['pending', { status: { phase: 'Pending' } }, false, false],
    ['succeeded', { status: { phase: 'Succeeded' } }, true, false],
    ['failed', { status: { phase: 'Failed' } }, true, false],
    ['being deleted', { metadata: { name: 'web-1', deletionTimestamp: '2026-01-01T00:00:00Z' } }, false, true],
  ])('record whether they have ended, or are being deleted: %s', async ([, more, hasEnded, isTerminating]) => {
    await using fixture = await startKube({ objects: [pod('web-1', more)] });

    const pods = await createPodApi(fixture.kube).listPods('node-1', NEVER);

    expect(pods).toMatchObject([{ hasEnded, isTerminating }]);
  });

  it.for([
    ['its controller', [ownerRef('a'), { ...ownerRef('b'), controller: true }], ownerRef('b')],
    ['itself where its owner is of no kind that can be read', [ownerRef('a', 'Job')], ITSELF],
    ['its first owner without one', [ownerRef('a'), ownerRef('b')], ownerRef('a')],
  ] as const)('are owned by %s', async ([, ownerReferences, expected]) => {
    await using fixture = await startKube({
      objects: [pod('web-1', { metadata: { name: 'web-1', ownerReferences } })],
    });

    const pods = await createPodApi(fixture.kube).listPods('node-1', NEVER);

    expect(pods.map((found) => found.owner)).toEqual([expected]);
  });

  it('name the remedy if they may not be listed', async () => {
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

/** A ReplicaSet as `ownerRef('owner')` names it. */
function owner(selector: object): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { namespace: 'shop', name: 'owner-name', uid: 'owner' },
    spec: { selector },
  };
}

describe('the pods of an owner', () => {
  it('are those of its namespace that have it among their owners, or are it, and keep running', async () => {
    const labels = { app: 'web' };
    const metadata = { name: '', labels, ownerReferences: [ownerRef('x'), ownerRef('owner')] };
    function owned(name: string, more: Partial<KubeObject> = {}, namespace = 'shop'): KubeObject {
      return pod(name, { ...more, metadata: { ...metadata, name } }, namespace);
    }
    await using fixture = await startKube({
      objects: [
        owned('web-1', { spec: { nodeName: 'node-1' } }),
        owned('web-2', { spec: { nodeName: 'node-2' } }),
        owned('web-3', { status: { phase: 'Succeeded' } }),
        owned('web-4', {}, 'other'),
        pod('web-7', { metadata: { ...metadata, name: 'web-7', deletionTimestamp: '2026-01-01T00:00:00Z' } }),
        pod('web-5'),
        pod('web-6', { metadata: { name: 'web-6', labels } }),
        owner({ matchLabels: labels }),
      ],
    });
    const api = createPodApi(fixture.kube);

    const [ofOwner, ofItself] = [
      await api.podsOf('shop', ownerRef('owner'), NEVER),
      await api.podsOf('shop', { apiVersion: 'v1', kind: 'Pod', name: 'web-5', uid: 'uid-of-web-5' }, NEVER),
    ];

    expect(ofOwner.map(({ ref }) => ref.name)).toEqual(['web-1', 'web-2']);
    expect(ofItself.map(({ ref }) => ref.name)).toEqual(['web-5']);
    expect(fixture.api.requests).toContain('GET /api/v1/namespaces/shop/pods?labelSelector=app%3Dweb&limit=100');
  });

  it('are none if the owner no longer exists, and no pod is listed for that', async () => {
    await using fixture = await startKube({
      objects: [pod('web-1', { metadata: { name: 'web-1', ownerReferences: [ownerRef('owner')] } })],
    });

    const pods = await createPodApi(fixture.kube).podsOf('shop', ownerRef('owner'), NEVER);

    expect(pods).toEqual([]);
    expect(fixture.api.requests).toEqual(['GET /apis/apps/v1/namespaces/shop/replicasets/owner-name']);
  });
});

function crowd(count: number, bytes: number): readonly KubeObject[] {
  return Array.from({ length: count }, (_, index) =>
    pod(`web-${index}`, {
      metadata: { name: `web-${index}`, labels: { app: 'web' }, ownerReferences: [ownerRef('owner')] },
      status: { phase: 'Running', message: 'x'.repeat(bytes) },
    }),
  );
}

describe('a list of pods', () => {
  const PODS = /^GET \/api\/v1\/namespaces\/shop\/pods/;

  it('is read in pages of 100', async () => {
    const objects = [...crowd(250, 10), owner({ matchLabels: { app: 'web' } })];
    await using fixture = await startKube({ objects });

    const pods = await createPodApi(fixture.kube).podsOf('shop', ownerRef('owner'), NEVER);

    expect(pods).toHaveLength(250);
    expect(fixture.api.requests.filter((request) => PODS.test(request))).toHaveLength(3);
  });

  it('is read in shorter pages if the pods are large, on a node too', async () => {
    await using fixture = await startKube({ objects: crowd(12, 1_300_000), timeoutMs: 20_000 });

    const pods = await createPodApi(fixture.kube).listPods('node-1', NEVER);

    expect(pods.map(({ ref }) => ref.name)).toEqual(Array.from({ length: 12 }, (_, index) => `web-${index}`));
  });

  it.for([
    ['once, and is whole', 1, /^249$/],
    ['and fails where that is so again', 2, /^cannot list pods: .* \(410\)$/],
  ] as const)('starts again if its continue token has expired: %s', async ([, times, ends]) => {
    const objects = [...crowd(250, 10), owner({ matchLabels: { app: 'web' } })];
    await using fixture = await startKube({ objects });
    let begun = 0;
    const kube: typeof fixture.kube = {
      ...fixture.kube,
      async ask(request, signal) {
        const from = request.query?.['continue'];
        if (from !== undefined && begun < times) {
          begun += 1;
          fixture.api.remove(atob(from));
        }
        return await fixture.kube.ask(request, signal);
      },
    };

    const outcome = await createPodApi(kube)
      .podsOf('shop', ownerRef('owner'), NEVER)
      .then(
        (pods) => String(pods.length),
        (error: unknown) => (error as Error).message,
      );

    expect(outcome).toMatch(ends);
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
