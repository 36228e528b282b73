import { describe, expect, it } from 'vitest';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

/*
 * As many and as large pods as the API server accepts: the provider, in a container of 200 MiB, survives lists of them and mounts for others.
 */

const MEMORY_MIB = 200;
const SOON = { timeout: 120_000, interval: 200 };
const ARGS = ['--enable-secret-rotation', '--sync-secret', '--token-request', '--rotation-poll-interval=1s'];

describe('lists of any length', () => {
  it('40 pods of 1.3 MiB on the node', async () => {
    await using node = await startAttackedNode({ memoryMiB: MEMORY_MIB, args: ARGS });
    for (let index = 0; index < 40; index += 1) {
      putPod(node, `big-${index}`, 1.3 * 2 ** 20, 'node-1');
    }

    await awaitDiscoveries(node, 3);

    expect(node.provider.ended()).toBeUndefined();
    expect(await node.victimMount()).toBeLessThan(10_000);
  });

  it('a namespace of 5,000 pods, when the owner of one is deleted', async () => {
    await using node = await startAttackedNode({ memoryMiB: MEMORY_MIB, args: ARGS });
    await node.seed.secret('db', 'v1');
    const objects = '[{objectName: db, objectType: secretsmanager}]';
    node.api.put({
      apiVersion: 'secrets-store.csi.x-k8s.io/v1',
      kind: 'SecretProviderClass',
      metadata: { namespace: 'shop', name: 'class' },
      spec: {
        provider: 'aws',
        parameters: { objects },
        secretObjects: [{ secretName: 'db', type: 'Opaque', data: [{ objectName: 'db', key: 'value' }] }],
      },
    });
    const labels = { app: 'web' };
    const volumes = [volume()];
    node.api.put({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { namespace: 'shop', name: 'web', uid: 'uid-of-web' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { volumes } } },
    });
    const pod = await node.addPod('shop', 'web-1', 'web');
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'uid-of-web', controller: true };
    node.api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace: 'shop', name: 'web-1', uid: pod.uid, labels, ownerReferences: [owner] },
      spec: { nodeName: 'node-1', serviceAccountName: 'web', volumes },
      status: { phase: 'Running' },
    });
    await node.mount(pod, { objects });
    await expect.poll(() => secretOf(node), SOON).toBeDefined();
    for (let index = 0; index < 5_000; index += 1) {
      putPod(node, `crowd-${index}`, 60_000, 'node-2');
    }

    node.api.remove('/api/v1/namespaces/shop/pods/web-1');

    await expect.poll(() => secretOf(node), SOON).toBeUndefined();
    expect(node.provider.ended()).toBeUndefined();
    expect(await node.victimMount()).toBeLessThan(10_000);
  });
});

/** Waits until the node's pods have been listed this many times more. */
async function awaitDiscoveries(node: AttackedNode, times: number): Promise<void> {
  const before = discoveries(node);
  await expect
    .poll(() => node.provider.ended() ?? (discoveries(node) >= before + times ? 'discovered' : 'waiting'), SOON)
    .not.toBe('waiting');
}

/** Each begins without a `continue`. */
function discoveries({ api }: AttackedNode): number {
  return api.requests.filter((path) => path.includes('/pods?fieldSelector') && path.includes('resourceVersion=0'))
    .length;
}

function secretOf({ api }: AttackedNode): unknown {
  return api.find('/api/v1/namespaces/shop/secrets/db');
}

function volume(): object {
  const volumeAttributes = { secretProviderClass: 'class' };
  return { name: 'secrets', csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes } };
}

function putPod({ api }: AttackedNode, name: string, bytes: number, nodeName: string): void {
  api.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name, uid: `uid-of-${name}` },
    spec: {
      nodeName,
      serviceAccountName: 'web',
      containers: [{ name: 'main', env: [{ name: 'PADDING', value: padding(bytes) }] }],
      volumes: [],
    },
    status: { phase: 'Running' },
  });
}

const paddings = new Map<number, string>();

function padding(bytes: number): string {
  const text = paddings.get(bytes) ?? 'x'.repeat(bytes);
  paddings.set(bytes, text);
  return text;
}
