import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A mutant that none of these seeds detects is not detected. */
const SEEDS = 60;
const TIMEOUT_MS = 300_000;

/** Simulates a checkout. @returns the first seed that failed, and the first thing that went wrong in it; undefined: all is well */
export function failureInSimulation(root: string): string | undefined {
  const main = join(root, 'test/simulation/main.ts');
  const { status, stdout } = spawnSync(process.execPath, [main, `--seeds=${SEEDS}`, '--first'], {
    cwd: root,
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [, seed, violation] = /^(seed \d+):\n {2}(.*)$/m.exec(stdout) ?? [];
  return status === 0 || seed === undefined ? undefined : `${seed}, ${violation}`;
}
