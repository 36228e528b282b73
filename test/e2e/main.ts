// `npm run e2e`: builds the programs of the cluster, starts it, runs the scenarios, and always removes it again.
// `--keep` leaves it up after the scenarios, `--up` without any; both until Ctrl-C. `--kubeconfig FILE` runs the scenarios
// against a cluster you have. Anything else goes to vitest: a word runs the scenarios with it in their file's name.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildPrograms } from './cluster/build.ts';
import { runCommand } from './cluster/command.ts';
import type { ClusterFacts } from './cluster/cluster.ts';
import { kubectl } from './cluster/kubernetes-tools.ts';
import { CHECKOUT, CLUSTER_FILE, GIVEN_CLUSTER_FILE } from './cluster/layout.ts';
import { API_RELAY, clearMachine, INTERRUPTED, recover, startMachine } from './cluster/machine.ts';
import { installPackages } from './cluster/packages.ts';
import { progress } from './cluster/progress.ts';
import { relay } from './cluster/relay.ts';
import { checkRequirements } from './cluster/requirements.ts';
import { readSummary, runScenarios } from './cluster/scenarios.ts';

const { values, positionals } = parseArgs({
  options: { keep: { type: 'boolean' }, up: { type: 'boolean' }, kubeconfig: { type: 'string' } },
  allowPositionals: true,
});
process.chdir(CHECKOUT);

try {
  process.exitCode =
    values.kubeconfig === undefined ? await runOnOwnCluster() : await runOnGivenCluster(values.kubeconfig);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function runOnOwnCluster(): Promise<number> {
  await checkRequirements();
  await recover();
  await installPackages();
  await buildPrograms();
  if (values.up !== true) {
    await runCommand(process.execPath, ['deploy/bundle.mjs']);
  }
  const built = performance.now();

  const hold = values.keep === true || values.up === true;
  const { port: apiPort } = await relay({ port: 0 }, { path: API_RELAY });
  const scenarios = values.up === true ? 'no' : 'yes';
  const inside = path.join(CHECKOUT, 'test/e2e/cluster/inside.ts');
  const machine = await startMachine(inside, [`${apiPort}`, scenarios, hold ? 'yes' : 'no', ...positionals]);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => machine.stop());
  }
  const code = await machine.ended;
  const ended = performance.now();
  await clearMachine();
  progress(`the machine is gone and cleared away in ${((performance.now() - ended) / 1000).toFixed(1)} s`);
  const [preparing, running] = [built, performance.now() - built].map((ms) => (ms / 1000).toFixed(1));
  progress(`packages and programs took ${preparing} s, everything after them ${running} s`);
  if (code === INTERRUPTED) {
    progress('interrupted');
  } else if (scenarios === 'yes') {
    await printSummary(CLUSTER_FILE);
  }
  return code;
}

async function runOnGivenCluster(file: string): Promise<number> {
  const kubeconfig = path.resolve(file);
  const nodeName = await kubectl(kubeconfig, ['get', 'nodes', '--output=jsonpath={.items[0].metadata.name}']);
  // Only the owner of the cluster knows by which address its pods reach this machine.
  const hostAddress = process.env['E2E_HOST_ADDRESS'] ?? '127.0.0.1';
  const appImage = process.env['E2E_APP_IMAGE'] ?? 'busybox:1.37';
  const facts: ClusterFacts = { owned: false, kubeconfig, apiPort: 0, nodeName, appImage, hostAddress };
  await mkdir(path.dirname(GIVEN_CLUSTER_FILE), { recursive: true });
  await writeFile(GIVEN_CLUSTER_FILE, JSON.stringify(facts));
  const code = await runScenarios(GIVEN_CLUSTER_FILE, positionals);
  await printSummary(GIVEN_CLUSTER_FILE);
  return code;
}

async function printSummary(clusterFile: string): Promise<void> {
  const { passed, failed, lines } = await readSummary(clusterFile);
  console.log(`\n${lines.join('\n')}\n${passed} passed, ${failed} failed`);
}
