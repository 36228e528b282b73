import { readdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedNode, type AttackPod, failureOf, startAttackedNode } from './node/attacked-node.ts';

const KIB = 1024;
/** A volume may take 64 KiB, a namespace 64 KiB, the node 256 KiB. */
const ARGS = [`--max-volume-bytes=${64 * KIB}`, `--max-node-bytes=${256 * KIB}`];
let node: AttackedNode;
let count = 0;

beforeAll(async () => {
  node = await startAttackedNode({ args: ARGS });
  await node.seed.secret('tiny', 'x');
  await node.seed.secret('half', 'x'.repeat(40 * KIB));
});
afterAll(() => node[Symbol.asyncDispose]());

function object(name: string, alias: string): string {
  return `- { objectName: ${name}, objectType: secretsmanager, objectAlias: ${alias} }`;
}
const HALF = { objects: object('half', 'half') };

async function pod(namespace: string): Promise<AttackPod> {
  count += 1;
  node.addAccount(namespace, 'web');
  return await node.addPod(namespace, `pod-${count}`, 'web');
}

describe('a volume that takes more memory than a volume may', () => {
  it.for([
    ['many files of one byte', Array.from({ length: 20 }, (_, index) => object('tiny', `f${index}`)).join('\n')],
    ['directories', Array.from({ length: 20 }, (_, index) => object('tiny', `d${index}/e/f/g`)).join('\n')],
    ['two large files', [object('half', 'one'), object('half', 'two')].join('\n')],
  ] as const)('is refused, with nothing written: %s', async ([, objects]) => {
    const attacker = await pod('large');
    const failure = await failureOf(node.mount(attacker, { objects }));

    expect(failure.message).toMatch(/more than the 65536 of --max-volume-bytes: split/);
    expect(readdirSync(attacker.targetPath)).toEqual([]);
  });
});

describe('volumes that are each small enough', () => {
  it('leave the rest of the node to other namespaces, and free the space of deleted volumes', async () => {
    const first = await pod('greedy');
    await node.mount(first, HALF);
    const second = await pod('greedy');
    const refused = await failureOf(node.mount(second, HALF));
    await node.victimMount();
    rmSync(first.targetPath, { recursive: true });
    await node.mount(second, HALF);

    expect(refused.message).toMatch(/namespace "greedy" .* more than a quarter of the 262144 of --max-node-bytes/);
  });

  it('are refused together, except for the one that is updated', async () => {
    const pods = await Promise.all(Array.from({ length: 8 }, (_, index) => pod(`crowd-${index}`)));
    const outcomes = await Promise.allSettled(pods.map((one) => node.mount(one, HALF)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    const served = pods.find((_, index) => outcomes[index]?.status === 'fulfilled') ?? pods[0];
    if (served !== undefined) {
      // Half as large beside the old one: exactly the space that is left.
      await node.mount(served, { objects: object('half', 'renamed') });
    }

    expect(refused.length).toBeGreaterThan(2);
    expect(refused.length).toBeLessThan(8);
    expect(String(refused[0]?.reason)).toMatch(/--max-node-bytes leaves for them: spread/);
    expect(node.provider.ended()).toBeUndefined();
  });
});
