import { afterAll, beforeAll, expect, it } from 'vitest';
import { mintToken } from '../fakes/aws/web-token.ts';
import {
  type AttackedNode,
  attributesOf,
  type AttackPod,
  failureOf,
  NEVER,
  startAttackedNode,
} from './node/attacked-node.ts';

const CLASS = { objects: '[{objectName: victim, objectType: secretsmanager}]' };

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode();
  await node.mount(await node.addPod('shop', 'warm', 'web'), CLASS);
});
afterAll(() => node[Symbol.asyncDispose]());

/** The driver's call with this token in place of the pod's own. */
async function mountWith(token: string, pod: AttackPod) {
  const tokens = JSON.stringify({ 'sts.amazonaws.com': { token } });
  const attributes = JSON.parse(attributesOf(pod, CLASS)) as Record<string, string>;
  return await node.client.mount(
    {
      attributes: JSON.stringify({ ...attributes, 'csi.storage.k8s.io/serviceAccount.tokens': tokens }),
      secrets: 'null',
      targetPath: pod.targetPath,
      permission: '420',
      currentObjectVersion: [],
    },
    NEVER,
  );
}

it.for<readonly [string, () => string, RegExp]>([
  ['has ended', () => mintToken('shop/web', { exp: 1_700_000_000 }), /ExpiredTokenException/],
  ['is of another service account', () => mintToken('shop/other'), /Not authorized to perform sts:AssumeRole/],
  ['is of another namespace', () => mintToken('other/web'), /Not authorized to perform sts:AssumeRole/],
  ['is for another audience', () => mintToken('shop/web', { aud: ['vault'] }), /Incorrect token audience/],
])('a token that %s gets nothing from the cache, however warm that is', async ([name, token, refusal]) => {
  const pod = await node.addPod('shop', name.replaceAll(' ', '-'), 'web');

  for (const _ of ['first', 'second']) {
    expect((await failureOf(mountWith(token(), pod))).message).toMatch(refusal);
  }
  await mountWith(mintToken('shop/web'), pod);
});
