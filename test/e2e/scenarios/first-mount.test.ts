import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, inject, test, vi } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { HINDRANCES, IMPATIENT, prepareHindrance } from '../provider/hindrances.ts';
import { installRelease } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { firstListing, listsFirst } from '../provider/with-container.ts';

/** The kubelet tries a failed mount again after half a second, and after twice as long each time. */
const SOME_TRIES_MS = 3_000;

vi.setConfig({ maxConcurrency: HINDRANCES.length });

const cluster = await openCluster();
const resources = new AsyncDisposableStack();
let scenario: Scenario;

beforeAll(async () => {
  resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-impatient', IMPATIENT));
  scenario = resources.use(await openScenario(cluster, 'first-mount'));
  if (cluster.owned) {
    // The driver's own default. For so long after a failure, a volume that was not cleaned up passes for a filled one.
    await cluster.restartDriver({ rotationPollInterval: '2m' });
    resources.defer(() => cluster.restartDriver());
  }
});

afterAll(() => resources.disposeAsync());

function phaseOf(pod: string): Promise<string> {
  return scenario.kubectl('get', 'pod', pod, '--output=jsonpath={.status.phase}');
}

describe.concurrent('no pod starts without its files, its events report the reason, and it starts afterwards', () => {
  test.for(HINDRANCES)('%s', async (hindrance, { expect }) => {
    const { name, classes, says, impose, lift } = await prepareHindrance(scenario, hindrance);
    const pods = classes.map((pod) => listsFirst(scenario.pod(pod, { classes: [pod], serviceAccount: name }), pod));
    await impose();

    await scenario.apply(...pods);
    const messages = await Promise.all(classes.map((pod) => scenario.mountFailure(pod, says[0])));
    await sleep(SOME_TRIES_MS);
    const phases = await Promise.all(classes.map(phaseOf));
    await lift();
    await scenario.startPods(...pods);

    for (const message of messages) {
      for (const fragment of says) {
        expect(message).toContain(fragment);
      }
    }
    expect(new Set(phases)).toEqual(new Set(['Pending']));
    for (const pod of classes) {
      expect(await firstListing(scenario, pod)).toEqual({ file: ['644', name] });
    }
  });
});
