import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { podView } from '../contract/publish/pod-view.ts';
import { type AttackedNode, type AttackPod, failureOf, startAttackedNode } from './node/attacked-node.ts';

const PARAMETERS = { objects: '[{objectName: own, objectType: secretsmanager}]' };

let node: AttackedNode;
let victim: AttackPod;
let attacker: AttackPod;

beforeAll(async () => {
  node = await startAttackedNode();
  await node.seed.secret('own', "the attacker's own");
  victim = await node.addPod('victims', 'victim', 'victim');
  attacker = await node.addPod('shop', 'attacker', 'web');
  await node.mount(victim, { objects: '[{objectName: victim, objectType: secretsmanager}]' });
});
afterAll(() => node[Symbol.asyncDispose]());

it.for<readonly [string, () => Promise<string>]>([
  ["another pod's volume", async () => victim.targetPath],
  [
    "another pod's volume by way of its own",
    async () =>
      attacker.targetPath.replace(/mount$/, `../../../../${victim.uid}/volumes/kubernetes.io~csi/secrets/mount`),
  ],
  ['its own with a slash more', async () => `${attacker.targetPath}/`],
  [
    'a directory of the node',
    async () => {
      await mkdir(join(node.folder, 'etc'), { recursive: true });
      return join(node.folder, 'etc');
    },
  ],
  [
    'a path of the right form below its emptyDir',
    async () => {
      const below = join('pods', attacker.uid, 'volumes', 'kubernetes.io~csi', 'secrets', 'mount');
      const path = join(node.kubeletDir, 'pods', attacker.uid, 'volumes', 'kubernetes.io~empty-dir', 'tmp', below);
      await mkdir(path, { recursive: true });
      return path;
    },
  ],
])('a call for %s is refused, and nothing is written', async ([, pathOf]) => {
  const targetPath = await pathOf();
  const before = podView(targetPath);

  const { code, message } = await failureOf(node.mount({ ...attacker, targetPath }, PARAMETERS));

  expect([code, message]).toEqual([
    'INVALID_ARGUMENT',
    expect.stringMatching(/is not an absolute path|target_path .*--kubelet-dir/),
  ]);
  expect(podView(targetPath)).toEqual(before);
});

it.for(['mount', 'secrets'])('a symlink at "%s" of the path is not followed', async (part) => {
  const pod = await node.addPod('shop', `linked-${part}`, 'web');
  const at = part === 'mount' ? pod.targetPath : dirname(pod.targetPath);
  await rename(at, `${at}.moved`);
  await symlink(part === 'mount' ? victim.targetPath : dirname(victim.targetPath), at);
  await writeFile(join(victim.targetPath, 'precious'), 'x');
  const before = podView(victim.targetPath);

  const { message } = await failureOf(node.mount(pod, PARAMETERS));

  expect(message).toContain('is not a directory');
  expect(podView(victim.targetPath)).toEqual(before);
});
