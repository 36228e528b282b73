import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CHECKOUT } from './layout.ts';

/** What is used of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly unknown[];
  }[];
}

/** Runs the scenarios against the cluster described in a file; the results lie beside it. Returns vitest's exit code. */
export async function runScenarios(clusterFile: string, vitestArgs: readonly string[]): Promise<number> {
  const vitest = path.join(CHECKOUT, 'node_modules/vitest/vitest.mjs');
  const config = path.join(CHECKOUT, 'test/e2e/vitest.config.ts');
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--root', CHECKOUT, '--config', config, '--outputFile.json', resultsOf(clusterFile), ...vitestArgs],
    { cwd: CHECKOUT, env: { ...process.env, E2E_CLUSTER: clusterFile }, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** One for each scenario: its outcome, name and seconds. */
  readonly lines: readonly string[];
}

/** Reads the outcome of the scenarios; a run without one counts as one failure. */
export async function readSummary(clusterFile: string): Promise<Summary> {
  const results = resultsOf(clusterFile);
  if (!existsSync(results)) {
    return { passed: 0, failed: 1, lines: [] };
  }
  const report: Report = JSON.parse(await readFile(results, 'utf8'));
  const lines = report.testResults.map((scenario) => {
    const seconds = ((scenario.endTime - scenario.startTime) / 1000).toFixed(1).padStart(6);
    return `${scenario.status === 'passed' ? '✓' : '✗'} ${seconds} s  ${path.basename(scenario.name, '.test.ts')}`;
  });
  // A file that could not even be loaded has failed without a test in it.
  const broken = report.testResults.filter(
    (scenario) => scenario.status !== 'passed' && scenario.assertionResults.length === 0,
  ).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken, lines };
}

function resultsOf(clusterFile: string): string {
  return path.join(path.dirname(clusterFile), 'results.json');
}
