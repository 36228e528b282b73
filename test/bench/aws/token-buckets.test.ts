import { describe, expect, it } from 'vitest';
import { createTokenBuckets } from './token-buckets.ts';

describe('createTokenBuckets', () => {
  it('admits the saved calls of one second at once, then the rate', () => {
    let now = 0;
    const buckets = createTokenBuckets(() => now);

    const atOnce = Array.from({ length: 12 }, () => buckets.take('sts', 10));
    now = 250;
    const later = Array.from({ length: 4 }, () => buckets.take('sts', 10));

    expect(atOnce.filter(Boolean)).toHaveLength(10);
    expect(later).toEqual([true, true, false, false]);
  });

  it('saves up no more than a second', () => {
    let now = 0;
    const buckets = createTokenBuckets(() => now);
    buckets.take('sts', 3);

    now = 60_000;

    expect(Array.from({ length: 4 }, () => buckets.take('sts', 3))).toEqual([true, true, true, false]);
  });

  it('counts each key separately', () => {
    const buckets = createTokenBuckets(() => 0);

    buckets.take('sts', 1);

    expect([buckets.take('sts', 1), buckets.take('ssm', 1)]).toEqual([false, true]);
  });
});
