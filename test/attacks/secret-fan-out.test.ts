import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventsOf, putClass, secretOf } from './node/attack-class.ts';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 60_000, interval: 50 };
const PARAMETERS = { objects: '[{objectName: value, objectType: secretsmanager}]' };
const KEYS = 16;
/** Of one mount. */
const WRITES_AT_ONCE = 4;

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({ args: ['--sync-secret'] });
  await node.seed.secret('value', 'x'.repeat(1_000));
});
afterAll(() => node[Symbol.asyncDispose]());

function secretObjects(name: string, count: number): readonly object[] {
  const data = Array.from({ length: KEYS }, (_, index) => ({ objectName: 'value', key: `key-${index}` }));
  return Array.from({ length: count }, (_, index) => ({ secretName: `${name}-${index}`, type: 'Opaque', data }));
}

async function mountClass(namespace: string, account: string, name: string, count: number) {
  const parameters = putClass(node, namespace, name, PARAMETERS, secretObjects(name, count));
  const pod = await node.addPod(namespace, `${name}-1`, account, name);
  await node.mount(pod, parameters);
  return pod;
}

function isWrite(namespace: string, method: string, path: string): boolean {
  return method !== 'GET' && path.startsWith(`/api/v1/namespaces/${namespace}/secrets`);
}

it('a class of a hundred Secrets is written a few at a time, and others meanwhile', async () => {
  let peak = 0;
  using _slow = node.api.inject({ kind: 'delay', ms: 20 }, (method, path) => {
    const writes = [...node.api.underWay].filter((other) => isWrite('shop', other.method, other.path));
    peak = Math.max(peak, writes.length);
    return isWrite('shop', method, path);
  });

  await mountClass('shop', 'web', 'many', 100);
  const victims = [await node.victimMount(), await node.victimMount()];
  await mountClass('victims', 'victim', 'few', 1);

  await expect.poll(() => secretOf(node, 'victims', 'few-0'), SOON).toBeDefined();
  await expect.poll(() => secretOf(node, 'shop', 'many-99'), SOON).toBeDefined();
  expect(peak).toBeGreaterThan(1);
  expect(peak).toBeLessThanOrEqual(WRITES_AT_ONCE);
  expect(Math.max(...victims)).toBeLessThan(10_000);
});

it('a class of more Secrets than that gets none, and its pod gets an Event', async () => {
  const pod = await mountClass('shop', 'web', 'too-many', 8000);

  await expect.poll(() => eventsOf(node, pod), SOON).not.toEqual([]);
  expect(eventsOf(node, pod)).toEqual([
    expect.stringMatching(
      /secretObjects has 8000 entries, more than the 100 a class may have: .*split the class in two/,
    ),
  ]);
  expect(secretOf(node, 'shop', 'too-many-0')).toBeUndefined();
});
