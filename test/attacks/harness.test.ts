import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterAll(() => node[Symbol.asyncDispose]());

describe('the harness', () => {
  it('mounts a victim and measures the process', async () => {
    const ms = await node.victimMount();
    const { maxMs, workMs } = await node.provider.condition();

    expect(ms).toBeGreaterThan(0);
    expect(maxMs).toBeGreaterThan(0);
    expect(workMs).toBeGreaterThan(0);
  });
});
