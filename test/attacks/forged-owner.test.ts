import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KubeObject } from '../fakes/kube/kube-object.ts';
import { type AttackedNode, type AttackPod, startAttackedNode } from './node/attacked-node.ts';

/*
 * A pod's author can write any `ownerReferences`. One that names the ReplicaSet of another's Deployment must neither restart that, nor make it an owner
 * of a Secret.
 */

const INTERVAL_MS = 500;
const SOON = { timeout: 30_000, interval: 50 };
const DEPLOYMENT = '/apis/apps/v1/namespaces/shop/deployments/api';
const SECRETS = '/api/v1/namespaces/shop/secrets';

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({
    args: [
      '--enable-secret-rotation',
      '--sync-secret',
      '--token-request',
      '--restart-on-rotation',
      '--restart-min-interval=1ms',
      `--rotation-poll-interval=${INTERVAL_MS}ms`,
    ],
  });
  putVictim();
});
afterAll(() => node[Symbol.asyncDispose]());

describe('a pod that claims the ReplicaSet of another’s Deployment', () => {
  it.for<readonly [string, string, Readonly<Record<string, string>>]>([
    ['without its labels', 'api-class', {}],
    ['with some of its labels', 'api-class', { app: 'api' }],
    ['with its labels and a class of its own', 'evil-class', { app: 'api', 'pod-template-hash': '1' }],
  ])('%s neither restarts it, nor makes it the owner of a Secret', async ([how, className, labels]) => {
    const name = `evil-${how.replaceAll(/\W/g, '-')}`;
    await node.seed.secret(name, 'v1');
    putClass(className, name);
    const pod = await node.addPod('shop', name, 'web', className);
    claim(pod, className, labels);
    await node.mount(pod, { secretProviderClass: className, ...parameters(name) });
    await expect.poll(() => node.api.find(`${SECRETS}/${name}`), SOON).toBeDefined();

    await node.seed.secretVersion(name, 'v2');
    await expect.poll(() => valueOf(name), SOON).toBe(btoa('v2'));
    // Workloads are restarted after Secrets: with the next version the first step is complete.
    await node.seed.secretVersion(name, 'v3');
    await expect.poll(() => valueOf(name), SOON).toBe(btoa('v3'));

    const { ownerReferences = [] } = node.api.find(`${SECRETS}/${name}`)?.metadata ?? {};
    expect(new Set(ownerReferences.map(({ kind }) => kind))).toEqual(new Set(['Pod']));
    expect(victimAnnotations()).toEqual({ 'aws-secrets-csi/restart-on-rotation': 'true' });
  });
});

function valueOf(secret: string): string | undefined {
  const { data } = node.api.find(`${SECRETS}/${secret}`) as unknown as { data: Readonly<Record<string, string>> };
  return data['value'];
}

function victimAnnotations(): unknown {
  const { metadata, spec } = node.api.find(DEPLOYMENT)!;
  const { template } = spec as { template: { metadata: { annotations?: object } } };
  return { ...metadata?.annotations, ...template.metadata.annotations };
}

function parameters(secret: string): Readonly<Record<string, string>> {
  return { objects: `[{objectName: ${secret}, objectType: secretsmanager}]` };
}

function putClass(name: string, secret: string): void {
  node.api.put({
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { namespace: 'shop', name },
    spec: {
      provider: 'aws',
      parameters: parameters(secret),
      secretObjects: [{ secretName: secret, type: 'Opaque', data: [{ objectName: secret, key: 'value' }] }],
    },
  });
}

function putVictim(): void {
  const labels = { app: 'api' };
  const volumes = [volumeOf('api-class')];
  function workload(kind: string, name: string, more: Readonly<Record<string, string>>, metadata: object): KubeObject {
    const all = { ...labels, ...more };
    return {
      apiVersion: 'apps/v1',
      kind,
      metadata: { namespace: 'shop', name, uid: `uid-of-${name}`, ...metadata },
      spec: { selector: { matchLabels: all }, template: { metadata: { labels: all }, spec: { volumes } } },
    };
  }
  const annotations = { 'aws-secrets-csi/restart-on-rotation': 'true' };
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api', uid: 'uid-of-api', controller: true };
  node.api.put(workload('Deployment', 'api', {}, { annotations }));
  node.api.put(workload('ReplicaSet', 'api-1', { 'pod-template-hash': '1' }, { ownerReferences: [owner] }));
}

function claim({ namespace, name, uid }: AttackPod, className: string, labels: Readonly<Record<string, string>>): void {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'api-1', uid: 'uid-of-api-1', controller: true };
  node.api.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, uid, labels, ownerReferences: [owner] },
    spec: { nodeName: 'node-1', serviceAccountName: 'web', volumes: [volumeOf(className)] },
    status: { phase: 'Running' },
  });
}

function volumeOf(secretProviderClass: string): object {
  const csi = { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes: { secretProviderClass } };
  return { name: 'secrets', csi };
}
