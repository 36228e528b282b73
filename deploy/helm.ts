import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

export const CHART = join(root, 'charts', 'aws-secrets-csi');

/** Helm as the chart tests or the end-to-end scenarios installed it, else the one on PATH. */
export function findHelm(): string | undefined {
  const installed = [join(root, '.cache', 'helm', 'helm'), join(root, '.cache', 'e2e', 'bin', 'helm')].find(existsSync);
  return installed ?? (spawnSync('helm', ['version', '--short']).status === 0 ? 'helm' : undefined);
}

export interface HelmAnswer {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs Helm on its own: no cluster, nothing of the user's.
 * @param values YAML that takes the place of a values file
 */
export function runHelm(program: string, args: readonly string[], values = ''): HelmAnswer {
  const { status, stdout, stderr } = spawnSync(program, [...args, '--values', '-'], {
    encoding: 'utf8',
    input: values,
    env: { PATH: process.env['PATH'], KUBECONFIG: '/dev/null', HOME: '/nonexistent' },
  });
  return { ok: status === 0, stdout, stderr };
}
