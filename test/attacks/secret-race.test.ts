import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, putClass, secretOf } from './node/attack-class.ts';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 30_000, interval: 50 };
const PARAMETERS = { objects: '[{objectName: value, objectType: secretsmanager}]' };
const OURS = btoa('ours');
const OTHERS = btoa('others');

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({ args: ['--sync-secret'] });
  await node.seed.secret('value', 'ours');
});
afterAll(() => node[Symbol.asyncDispose]());

/** A Secret of the operator that appears between our read and our write. */
function makeOthers(name: string, labels: Readonly<Record<string, string>> = {}, password = OTHERS): void {
  const metadata = { namespace: 'shop', name, labels };
  node.api.put({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: { password } });
}

async function mountClassOf(name: string) {
  const data = [{ objectName: 'value', key: 'password' }];
  const parameters = putClass(node, 'shop', name, PARAMETERS, [{ secretName: name, type: 'Opaque', data }]);
  const pod = await node.addPod('shop', `${name}-1`, 'web', name);
  return { pod, mounted: node.mount(pod, parameters) };
}

/** Does it right before the first write to that Secret. */
function beforeTheWrite(name: string, act: () => void): Disposable {
  let isDone = false;
  return node.api.inject({ kind: 'delay', ms: 0 }, (method, path) => {
    const isWrite = (method === 'POST' && path.endsWith('/secrets')) || (method !== 'GET' && path.endsWith(`/${name}`));
    if (isWrite && !isDone) {
      isDone = true;
      act();
    }
    return false;
  });
}

describe('a Secret that the provider does not manage', () => {
  it('that is created after ours was found missing is not taken over', async () => {
    using _race = beforeTheWrite('made', () => makeOthers('made'));

    const { pod, mounted } = await mountClassOf('made');
    await mounted;

    await expect
      .poll(() => eventsOf(node, pod), SOON)
      .toEqual([expect.stringContaining('is not managed by this provider')]);
    expect(secretOf(node, 'shop', 'made')).toMatchObject({ data: { password: OTHERS } });
    expect(secretOf(node, 'shop', 'made')?.metadata.ownerReferences).toBeUndefined();
  });

  it.for([
    ['no value of ours', 'rewritten', OTHERS],
    ['no owner of ours', 'handed', OURS],
  ] as const)('that is no longer ours after it was read gets %s', async ([, name, password]) => {
    makeOthers(name, { 'secrets-store.csi.k8s.io/managed': 'true' }, password);
    using _race = beforeTheWrite(name, () => makeOthers(name));

    const { pod, mounted } = await mountClassOf(name);
    await mounted;

    await expect
      .poll(() => eventsOf(node, pod), SOON)
      .toEqual([expect.stringContaining('is not managed by this provider')]);
    expect(secretOf(node, 'shop', name)).toMatchObject({ data: { password: OTHERS } });
    expect(secretOf(node, 'shop', name)?.metadata.ownerReferences).toBeUndefined();
  });
});
