import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { podView } from '../contract/publish/pod-view.ts';
import { type AttackedNode, failureOf, startAttackedNode } from './node/attacked-node.ts';

const PARAMETERS = { objects: '[{objectName: own, objectType: secretsmanager}]' };

let node: AttackedNode;
beforeAll(async () => {
  // The last occurrence of a flag counts: as in the chart.
  node = await startAttackedNode({ args: ['--require-mounted-volumes=true'] });
  await node.seed.secret('own', 'value');
});
afterAll(() => node[Symbol.asyncDispose]());

it.skipIf(process.getuid?.() !== 0)(
  "secrets are never written to the node's disk: only mount points are written",
  async () => {
    const pod = await node.addPod('shop', 'web', 'web');

    const { message } = await failureOf(node.mount(pod, PARAMETERS));
    const onDisk = readdirSync(pod.targetPath);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', pod.targetPath]);
    try {
      await node.mount(pod, PARAMETERS);

      expect(Object.keys(podView(pod.targetPath))).toEqual(['own']);
    } finally {
      execFileSync('umount', [pod.targetPath]);
    }
    const again = await failureOf(node.mount(pod, PARAMETERS));

    expect(message).toMatch(/is not a mount point.*mountPropagation HostToContainer/);
    expect(onDisk).toEqual([]);
    expect(again.message).toContain('is not a mount point');
    expect(readdirSync(pod.targetPath)).toEqual([]);
  },
);
