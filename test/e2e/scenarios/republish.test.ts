import { afterAll, beforeAll, describe, inject, test, vi } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { HINDRANCES, IMPATIENT, prepareHindrance } from '../provider/hindrances.ts';
import { installRelease, PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

/** The kubelet publishes a volume again every 10 to 15 s, and a mount whose store hangs takes half a minute. */
const PATIENCE = { timeout: 90_000, interval: 500 };

/** Not those of a role: what an annotation says is remembered for a minute. */
const TOLD_SOON = HINDRANCES.filter((name) => name !== 'roleless');

vi.setConfig({ maxConcurrency: TOLD_SOON.length });

const cluster = await openCluster();
const resources = new AsyncDisposableStack();
let scenario: Scenario;

beforeAll(async () => {
  resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-impatient', IMPATIENT));
  scenario = resources.use(await openScenario(cluster, 'republish'));
});

afterAll(() => resources.disposeAsync());

/** What the providers' logs say of failed mounts of a pod. */
async function failuresOf(pod: string): Promise<string> {
  const selector = '--selector=app.kubernetes.io/name=aws-secrets-csi';
  const lines = await cluster.kubectl(['logs', `--namespace=${PROVIDER_NAMESPACE}`, selector, '--tail=-1']);
  const ofPod = `"namespace":"${scenario.namespace}","pod":"${pod}"`;
  return lines
    .split('\n')
    .filter((line) => line.includes(ofPod) && line.includes('"msg":"mount failed"'))
    .join('\n');
}

describe.concurrent('a pod keeps its files and continues to run, the log names the reason, and it is up to date again afterwards', () => {
  test.for(TOLD_SOON)('%s', async (hindrance, { expect }) => {
    const { name, secret, classes, says, impose, lift } = await prepareHindrance(scenario, hindrance);
    await scenario.startPods(...classes.map((pod) => scenario.pod(pod, { classes: [pod], serviceAccount: name })));

    await impose();
    for (const pod of classes) {
      await expect.poll(() => failuresOf(pod), PATIENCE).toContain(says[0]);
    }
    const kept = await Promise.all(classes.map((pod) => scenario.filesOf(pod, pod)));
    await lift();
    await scenario.seed.secretVersion(secret, 'p2');

    for (const pod of classes) {
      await expect.poll(() => scenario.filesOf(pod, pod), PATIENCE).toEqual({ file: ['644', 'p2'] });
      expect(await stateOf(pod)).toBe('true,0');
    }
    expect(kept).toEqual(classes.map(() => ({ file: ['644', name] })));
  });
});

function stateOf(pod: string): Promise<string> {
  const state = '{.status.containerStatuses[0].ready},{.status.containerStatuses[0].restartCount}';
  return scenario.kubectl('get', 'pod', pod, `--output=jsonpath=${state}`);
}
