import { runCommand } from './command.ts';
import { tool } from './layout.ts';

export interface KubectlOptions {
  readonly input?: string;
  /** Three minutes unless told, so that `kubectl wait` ends by its own `--timeout` and says why. */
  readonly timeoutMs?: number;
}

/** Runs kubectl and returns what it printed; a failure carries what it said. */
export function kubectl(kubeconfig: string, args: readonly string[], options: KubectlOptions = {}): Promise<string> {
  const command = [`--kubeconfig=${kubeconfig}`, ...args];
  return runCommand(tool('kubectl'), command, { timeoutMs: 180_000, ...options });
}

/** Applies objects, or the text of a manifest. */
export async function apply(kubeconfig: string, manifest: string | readonly object[]): Promise<void> {
  const input =
    typeof manifest === 'string' ? manifest : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest });
  await kubectl(kubeconfig, ['apply', '--server-side', '--force-conflicts', '--filename=-'], { input });
}
