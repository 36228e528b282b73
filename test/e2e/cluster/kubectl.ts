import { runCommand } from './command.ts';
import { tool } from './layout.ts';

export interface KubectlOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs kubectl and returns what it printed; a failure carries what it said. */
export function kubectl(kubeconfig: string, args: readonly string[], options: KubectlOptions = {}): Promise<string> {
  return runCommand(tool('kubectl'), [`--kubeconfig=${kubeconfig}`, ...args], options);
}

/** Applies objects, or the text of a manifest. */
export async function apply(kubeconfig: string, manifest: string | readonly object[]): Promise<void> {
  const input =
    typeof manifest === 'string' ? manifest : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: manifest });
  await kubectl(kubeconfig, ['apply', '--server-side', '--force-conflicts', '--filename=-'], { input });
}
