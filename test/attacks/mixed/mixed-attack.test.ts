import { describe, expect, it } from 'vitest';
import { startAttackedNode } from '../node/attacked-node.ts';
import { runMix } from './run-mix.ts';
import { harmOf } from './show-mix.ts';

describe('five kinds of attack at once', () => {
  it('stop neither the provider nor the mounts of another tenant', async () => {
    await using node = await startAttackedNode({ args: ['--sync-secret', '--enable-secret-rotation'] });
    const report = await runMix(node, { seed: 20_261_126, seconds: 3, atOnce: 5, aloneMounts: 10 });
    // How long a mount takes on a machine that runs other tests is meaningless: `npm run attacks -- --minutes N` measures it.
    const harm = harmOf({ ...report, alone: [1], beside: [1] });

    expect(harm).toEqual([]);
    expect(report.beside.length).toBeGreaterThan(0);
  });
});
