import { describe, expect, it } from 'vitest';
import { runSeed } from './run-seed.ts';

/** As many as are always run; with time to spare, more are. */
const SEEDS = 100;
const MOST_SEEDS = 1_000;
const BUDGET_MS = 30_000;

describe('a virtual hour of a cluster', () => {
  it('satisfies the oracle after every step', { timeout: 600_000 }, async () => {
    const end = performance.now() + BUDGET_MS;
    const failures: string[] = [];
    for (let seed = 1; seed <= SEEDS || (seed <= MOST_SEEDS && performance.now() < end); seed += 1) {
      const { violations } = await runSeed(seed);
      failures.push(...violations.map((violation) => `seed ${seed}: ${violation}`));
    }

    // `npm run simulate -- --seed N` tells the story.
    expect(failures).toEqual([]);
  });

  it('is the same for the same seed', async () => {
    const [one, other] = [await runSeed(7), await runSeed(7)];

    expect(other).toEqual(one);
    expect(one.awsCalls).toBeGreaterThan(0);
    expect(one.story.length).toBeGreaterThan(10);
  });
});
