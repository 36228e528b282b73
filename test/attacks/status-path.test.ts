import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { podView } from '../contract/publish/pod-view.ts';
import { type AttackedNode, type AttackPod, startAttackedNode } from './node/attacked-node.ts';

const API = 'secrets-store.csi.x-k8s.io/v1';
const OBJECTS = '[{objectName: own, objectType: secretsmanager}]';
const SOON = { timeout: 60_000 };

let node: AttackedNode;
let victim: AttackPod;

beforeAll(async () => {
  node = await startAttackedNode({
    args: ['--enable-secret-rotation', '--sync-secret', '--token-request', '--rotation-poll-interval=1s'],
  });
  await node.seed.secret('own', "the attacker's own");
  victim = await node.addPod('victims', 'victim', 'victim');
  await node.mount(victim, { objects: '[{objectName: victim, objectType: secretsmanager}]' });
});
afterAll(() => node[Symbol.asyncDispose]());

/** What the attacker may create in their namespace: a class, a pod with an emptyDir, a status. @returns the path in the status */
async function attack(name: string, victimsMount: string): Promise<string> {
  const secretObjects = [
    { secretName: `loot-${name}`, type: 'Opaque', data: [{ objectName: 'victim', key: 'victim' }] },
  ];
  node.api.put({
    apiVersion: API,
    kind: 'SecretProviderClass',
    metadata: { namespace: 'shop', name },
    spec: { provider: 'aws', parameters: { objects: OBJECTS }, secretObjects },
  });
  const pod = await node.addPod('shop', name, 'web', name);
  const csi = join('pods', pod.uid, 'volumes', 'kubernetes.io~csi');
  const emptyDir = join(node.kubeletDir, 'pods', pod.uid, 'volumes', 'kubernetes.io~empty-dir', 'tmp', csi);
  await mkdir(emptyDir, { recursive: true });
  await symlink(dirname(victimsMount), join(emptyDir, 'secrets'));
  const targetPath = join(emptyDir, 'secrets', 'mount');
  node.api.put({
    apiVersion: API,
    kind: 'SecretProviderClassPodStatus',
    metadata: {
      namespace: 'shop',
      name: `${name}-shop-${name}`,
      labels: { 'internal.secrets-store.csi.k8s.io/node-name': 'node-1' },
    },
    status: { podName: name, secretProviderClassName: name, mounted: true, targetPath, objects: [] },
  });
  return targetPath;
}

function discoveries(): number {
  return node.api.requests.filter((request) => /^GET \/api\/v1\/pods\b/.test(request)).length;
}

/** Waits until the provider has listed the node's pods some times more. */
async function untilSurveyed(): Promise<void> {
  const before = discoveries();
  await expect.poll(discoveries, SOON).toBeGreaterThan(before + 4);
}

it("a status whose path leads through a symlink in an emptyDir changes nothing in another pod's volume, and creates no Secret", async () => {
  const before = podView(victim.targetPath);
  const led = await attack('reader', victim.targetPath);

  await untilSurveyed();

  expect(await readFile(join(led, 'victim'), 'utf8')).toBe('the-victims-own');
  expect(podView(victim.targetPath)).toEqual(before);
  expect(node.api.find('/api/v1/namespaces/shop/secrets/loot-reader')).toBeUndefined();
});
