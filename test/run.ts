// Runs checks and test projects one after another and ends with one line that adds them up: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { runVitest, toolsOf } from './run-vitest.ts';

const root = join(import.meta.dirname, '..');

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  format: ['oxfmt', '--check', '.'],
  lint: ['oxlint', '--deny-warnings', '.'],
  types: ['tsc'],
  'dead code': ['knip'],
  'flag table': ['node', 'test/setup/write-docs.ts', '--check'],
};

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  return (
    spawnSync(program, args, { cwd: root, env: toolsOf(root), stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
  );
}

function check(name: string, command: readonly string[]): Tally {
  console.log(`check: ${name}`);
  const passed = run(command);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

function test(projects: readonly string[]): Tally {
  const args = projects.map((project) => `--project=${project}`);
  const { ok, passed, failed, skipped, unloadable } = runVitest({ root, args });
  const broken = failed + unloadable;
  return { passed, failed: ok || broken > 0 ? broken : 1, skipped };
}

const [mode = 'all'] = process.argv.slice(2);
const PROJECTS: Readonly<Record<string, readonly string[]>> = {
  quick: ['unit', 'simulation', 'contract'],
  all: ['unit', 'simulation', 'contract', 'attacks', 'charts'],
};
const projects = PROJECTS[mode] ?? [];
const tallies = [...Object.entries(CHECKS).map(([name, command]) => check(name, command)), test(projects)];
const total = tallies.reduce((sum, tally) => ({
  passed: sum.passed + tally.passed,
  failed: sum.failed + tally.failed,
  skipped: sum.skipped + tally.skipped,
}));
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
