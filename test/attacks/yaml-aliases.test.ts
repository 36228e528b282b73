import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALIAS_CLASSES } from './node/alias-classes.ts';
import { type AttackedNode, failureOf, startAttackedNode } from './node/attacked-node.ts';
import { LONGEST_WORK_MS } from './node/attacked-process.ts';

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterAll(() => node[Symbol.asyncDispose]());

describe('a class whose aliases expand to much', () => {
  it.for(Object.entries(ALIAS_CLASSES))('is refused soon: %s', async ([name, objects]) => {
    const pod = await node.addPod('shop', `web-${name.replaceAll(/\W/g, '-')}`, 'web');
    await node.victimMount();
    await node.provider.condition();

    const failure = await failureOf(node.mount(pod, { objects }));
    const { workMs } = await node.provider.condition();

    expect(failure.message).toMatch(/more than \d+ (?:characters|values) with its aliases expanded/);
    expect(workMs).toBeLessThan(LONGEST_WORK_MS);
  });

  it('does not delay another pod', async () => {
    const alone = Math.max(await node.victimMount(), await node.victimMount());
    const pods = await Promise.all(
      Array.from({ length: 8 }, (_, index) => node.addPod('shop', `crowd-${index}`, 'web')),
    );
    await node.provider.condition();

    const attacks = pods.map((pod) => failureOf(node.mount(pod, { objects: ALIAS_CLASSES['names'] ?? '' })));
    const beside = await node.victimMount();
    await Promise.all(attacks);
    const { workMs } = await node.provider.condition();

    expect(workMs).toBeLessThan(LONGEST_WORK_MS);
    expect(beside).toBeLessThan(alone * 3 + 2000);
  });
});
