import { existsSync } from 'node:fs';
import path from 'node:path';
import { runCommand } from './command.ts';
import { MEMORY, program } from './layout.ts';

export interface ToolOptions {
  /** Its standard input. */
  readonly input?: string;
  /** Default: three minutes, so that `kubectl wait` ends by its own `--timeout` and says why. */
  readonly timeoutMs?: number;
}

/** Keeps what these programs remember about clusters out of the user's home. */
const ENV = {
  KUBECACHEDIR: path.join(MEMORY, 'kube'),
  HELM_CACHE_HOME: path.join(MEMORY, 'helm-cache'),
  HELM_CONFIG_HOME: path.join(MEMORY, 'helm-config'),
  HELM_DATA_HOME: path.join(MEMORY, 'helm-data'),
};

/** Runs kubectl and returns what it printed; a failure carries what it said. */
export function kubectl(kubeconfig: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  return run('kubectl', kubeconfig, args, options);
}

/** The same for Helm. */
export function helm(kubeconfig: string, args: readonly string[], options: ToolOptions = {}): Promise<string> {
  return run('helm', kubeconfig, args, options);
}

/** Applies objects, or the text of a manifest. */
export async function apply(kubeconfig: string, manifest: string | readonly object[]): Promise<void> {
  const input =
    typeof manifest === 'string' ? manifest : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest });
  await kubectl(kubeconfig, ['apply', '--server-side', '--force-conflicts', '--filename=-'], { input });
}

/** The built program, or for a given cluster, where nothing is built, the one on the PATH. */
function run(name: string, kubeconfig: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const file = existsSync(program(name)) ? program(name) : name;
  return runCommand(file, [`--kubeconfig=${kubeconfig}`, ...args], { env: ENV, timeoutMs: 180_000, ...options });
}
