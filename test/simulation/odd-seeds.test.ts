import { expect, it } from 'vitest';
import { runSeed } from './run-seed.ts';
import { runHalf } from './run-seeds.ts';

it('a virtual hour of a cluster goes well whatever befalls it: odd seeds', { timeout: 600_000 }, async () => {
  // `npm run simulate -- --seed N` tells the story.
  expect(await runHalf(1)).toEqual([]);
});

it('is the same for the same seed', async () => {
  const [one, other] = [await runSeed(7), await runSeed(7)];

  expect(other).toEqual(one);
  expect(one.awsCalls).toBeGreaterThan(0);
  expect(one.story.length).toBeGreaterThan(10);
});
