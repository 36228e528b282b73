// Runs checks and test projects one after another and ends with one line that adds them up: `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
/** The checkout's own tools, and its own Node, however this was started. */
const env = { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter) };
const results = join(root, '.cache', 'vitest-results.json');

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

/** What vitest's json reporter writes, as far as we read it. */
interface VitestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

function run(command: readonly string[]): boolean {
  const [program = '', ...args] = command;
  return spawnSync(program, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

function check(name: string, command: readonly string[]): Tally {
  console.log(`check: ${name}`);
  const passed = run(command);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

function test(projects: readonly string[]): Tally {
  mkdirSync(join(root, '.cache'), { recursive: true });
  rmSync(results, { force: true });
  const ok = run([
    'vitest',
    'run',
    '--config=test/vitest.config.ts',
    '--root=.',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...projects.map((project) => `--project=${project}`),
  ]);
  let counted: Tally = { passed: 0, failed: 0, skipped: 0 };
  try {
    const json: VitestResults = JSON.parse(readFileSync(results, 'utf8'));
    // A file that cannot even be loaded has no test that could fail.
    const unloadable = json.testResults.filter(
      ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
    );
    counted = {
      passed: json.numPassedTests,
      failed: json.numFailedTests + unloadable.length,
      skipped: json.numPendingTests,
    };
  } catch {
    // No results: the run itself broke, which `ok` says.
  }
  return ok || counted.failed > 0 ? counted : { ...counted, failed: 1 };
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
