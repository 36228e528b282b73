import { describe, expect, it } from 'vitest';
import { summarise } from './cpu-profile.ts';

function frame(id: number, functionName: string, url = '', lineNumber = 0) {
  return { id, callFrame: { functionName, url, lineNumber } };
}

const PROFILE = {
  nodes: [
    frame(1, '(idle)'),
    frame(2, 'sign', 'file:///checkout/node_modules/@smithy/signature-v4/dist/index.js', 9),
    frame(3, 'fetchAll', 'file:///checkout/src/aws/fetch.ts', 4),
    frame(4, 'write', 'node:internal/fs/promises', 7),
    frame(5, '(garbage collector)'),
  ],
  startTime: 1_000_000,
  samples: [2, 1, 3, 2, 4, 5, 3],
  timeDeltas: [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000],
};

describe('summarise', () => {
  it('adds up own time by package and function, without waiting', () => {
    const { busyMs, packages, functions } = summarise(PROFILE, 0, Number.POSITIVE_INFINITY);

    expect(busyMs).toBe(1 + 3 + 4 + 5 + 6);
    expect(packages).toEqual([
      ['(garbage collector)', 6],
      ['@smithy/signature-v4', 5],
      ['node:internal/fs', 5],
      ['src/aws', 3],
    ]);
    expect(functions).toContainEqual(['sign  @smithy/signature-v4/dist/index.js:10', 5]);
  });

  it('leaves out what was before and after', () => {
    const { packages } = summarise(PROFILE, 1_005_000, 1_010_000);

    expect(packages).toEqual([
      ['node:internal/fs', 5],
      ['@smithy/signature-v4', 4],
    ]);
  });
});
