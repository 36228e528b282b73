import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { CallError } from '../../src/grpc/client.ts';
import { type AttackedNode, type AttackPod, startAttackedNode } from './node/attacked-node.ts';

/** A pod whose volume is a tmpfs, like the driver's. */
async function podWithTmpfs(
  { node, tmpfs }: { readonly node: AttackedNode; readonly tmpfs: DisposableStack },
  namespace: string,
  account: string,
  name: string,
): Promise<AttackPod> {
  const pod = await node.addPod(namespace, name, account);
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', pod.targetPath]);
  tmpfs.defer(() => void execFileSync('umount', [pod.targetPath]));
  return pod;
}

/** A class of this many objects of 63 KiB each. */
async function bigClass(node: AttackedNode, count: number): Promise<string> {
  const names = Array.from({ length: count }, (_, index) => `big-${index}`);
  await Promise.all(names.map((name) => node.seed.secret(name, 'x'.repeat(63 * 1024))));
  return names.map((name) => `- { objectName: ${name}, objectType: secretsmanager }`).join('\n');
}

describe('33 volumes of 4 MiB at the limit of the chart', () => {
  it('are refused before the kernel kills, and another tenant still mounts', async () => {
    await using node = await startAttackedNode({
      memoryMiB: 200,
      args: ['--require-mounted-volumes=true', '--cache-max-bytes=16777216'],
    });
    using tmpfs = new DisposableStack();
    const objects = await bigClass(node, 62);
    const outcomes: (string | undefined)[] = [];
    for (let index = 0; index < 33; index += 1) {
      const namespace = `tenant-${index % 11}`;
      node.addAccount(namespace, 'web');
      const pod = await podWithTmpfs({ node, tmpfs }, namespace, 'web', `pod-${index}`);
      const failure: unknown = await node.mount(pod, { objects }).then(
        () => undefined,
        (error: unknown) => error,
      );
      outcomes.push(failure === undefined ? undefined : failure instanceof CallError ? failure.message : 'unknown');
    }
    const victim = await podWithTmpfs({ node, tmpfs }, 'victims', 'victim', 'victim-1');

    expect(node.provider.ended()).toBeUndefined();
    expect(node.provider.cgroup()?.oomKills).toBe(0);
    expect(outcomes.filter((outcome) => outcome === undefined).length).toBeGreaterThan(8);
    expect(new Set(outcomes.slice(-5).map((outcome) => /--max-node-bytes/.exec(outcome ?? '')?.[0]))).toEqual(
      new Set(['--max-node-bytes']),
    );
    await node.mount(victim, { objects: '[{objectName: victim, objectType: secretsmanager}]' });
  });
});
