import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export interface TestRun {
  /** Whether vitest itself says that all is well. */
  readonly ok: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Test files that cannot even be loaded, which have no test that could fail. */
  readonly unloadable: number;
}

export interface TestRunOptions {
  /** Of the checkout whose tests they are. */
  readonly root: string;
  /** Of vitest: projects, test files, flags. */
  readonly args: readonly string[];
  readonly stdio?: 'inherit' | 'ignore';
  /** Milliseconds after which the run is ended. */
  readonly timeout?: number;
}

/** What vitest's json reporter writes, as far as we read it. */
interface VitestResults {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** The checkout's own tools, and its own Node, however this was started. */
export function toolsOf(root: string): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter) };
}

/** Runs tests in a process of their own. */
export function runVitest({ root, args, stdio = 'inherit', timeout }: TestRunOptions): TestRun {
  const folder = mkdtempSync(join(tmpdir(), 'vitest-'));
  const results = join(folder, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`];
  try {
    const { status } = spawnSync(
      'vitest',
      ['run', '--config=test/vitest.config.ts', '--root=.', ...reporters, ...args],
      { cwd: root, env: toolsOf(root), stdio: ['ignore', stdio, stdio], ...(timeout !== undefined && { timeout }) },
    );
    return { ok: status === 0, ...countsIn(results) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function countsIn(results: string): Omit<TestRun, 'ok'> {
  try {
    const json: VitestResults = JSON.parse(readFileSync(results, 'utf8'));
    return {
      passed: json.numPassedTests,
      failed: json.numFailedTests,
      skipped: json.numPendingTests,
      unloadable: json.testResults.filter(
        ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
      ).length,
    };
  } catch {
    // No results: the run itself broke, which its status says.
    return { passed: 0, failed: 0, skipped: 0, unloadable: 0 };
  }
}
