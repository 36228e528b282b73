// The first process of the machine: `node inside.ts <API port> <scenarios: yes or no> <hold: yes or no> [vitest's arguments…]`.
// Brings the cluster up, runs the scenarios and ends with their exit code; the kernel clears the machine away after it.
import { bringUp } from './bring-up.ts';
import { CLUSTER_FILE, KUBECONFIG, program } from './layout.ts';
import { API_RELAY, INTERRUPTED } from './machine.ts';
import { progress } from './progress.ts';
import { relay } from './relay.ts';
import { runScenarios } from './scenarios.ts';

const [apiPort = '', scenarios, hold, ...vitestArgs] = process.argv.slice(2);

// Its owner ends the input to stop it, and so does the kernel when the owner is killed.
process.stdin.resume();
process.stdin.on('close', () => process.exit(process.exitCode ?? INTERRUPTED));

try {
  await relay({ path: API_RELAY }, { port: Number(apiPort) });
  await bringUp(Number(apiPort));
  process.exitCode = scenarios === 'yes' ? await runScenarios(CLUSTER_FILE, vitestArgs) : 0;
} catch (error) {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
if (hold === 'yes') {
  progress('the cluster stays up until Ctrl-C; in another terminal:');
  console.log(`  export KUBECONFIG=${KUBECONFIG}`);
  console.log(`  ${program('kubectl')} get pods --all-namespaces`);
} else {
  process.exit();
}
