import { runSeed } from './run-seed.ts';

/** Of each half as many as are always run; with time to spare, more are. */
const SEEDS = 50;
const MOST_SEEDS = 500;
const BUDGET_MS = 20_000;

/** Runs every other seed, so that two test workers share them. @returns what went wrong */
export async function runHalf(first: 1 | 2): Promise<readonly string[]> {
  const end = performance.now() + BUDGET_MS;
  const failures: string[] = [];
  for (let run = 0; run < SEEDS || (run < MOST_SEEDS && performance.now() < end); run += 1) {
    const seed = first + 2 * run;
    const { violations } = await runSeed(seed);
    failures.push(...violations.map((violation) => `seed ${seed}: ${violation}`));
  }
  return failures;
}
