import { afterAll, beforeAll, describe, inject, test, vi } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { HINDRANCES, IMPATIENT, prepareHindrance } from '../provider/hindrances.ts';
import { installRelease, PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openStory, type Story } from '../provider/story.ts';

/** The kubelet publishes a volume again every 10 to 15 s, and a mount whose store hangs takes half a minute. */
const PATIENCE = { timeout: 90_000, interval: 500 };

/** Not those of a role: what an annotation says is remembered for a minute. */
const TOLD_SOON = HINDRANCES.filter((name) => name !== 'roleless');

vi.setConfig({ maxConcurrency: TOLD_SOON.length });

const cluster = await openCluster();
const resources = new AsyncDisposableStack();
let story: Story;

beforeAll(async () => {
  resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-impatient', IMPATIENT));
  story = resources.use(await openStory(cluster, 'republish'));
});

afterAll(() => resources.disposeAsync());

/** What the providers' logs say of failed mounts of a pod. */
async function failuresOf(pod: string): Promise<string> {
  const selector = '--selector=app.kubernetes.io/name=aws-secrets-csi';
  const lines = await cluster.kubectl(['logs', `--namespace=${PROVIDER_NAMESPACE}`, selector, '--tail=-1']);
  const ofPod = `"namespace":"${story.namespace}","pod":"${pod}"`;
  return lines
    .split('\n')
    .filter((line) => line.includes(ofPod) && line.includes('"msg":"mount failed"'))
    .join('\n');
}

describe.concurrent('a pod keeps its files and runs on, the log says why, and it is up to date again when that is over', () => {
  test.for(TOLD_SOON)('%s', async (hindrance, { expect }) => {
    const { name, secret, classes, says, impose, lift } = await prepareHindrance(story, hindrance);
    await story.startPods(...classes.map((pod) => story.pod(pod, { classes: [pod], serviceAccount: name })));

    await impose();
    for (const pod of classes) {
      await expect.poll(() => failuresOf(pod), PATIENCE).toContain(says[0]);
    }
    const kept = await Promise.all(classes.map((pod) => story.filesOf(pod, pod)));
    await lift();
    await story.seed.secretVersion(secret, 'p2');

    for (const pod of classes) {
      await expect.poll(() => story.filesOf(pod, pod), PATIENCE).toEqual({ file: ['644', 'p2'] });
      expect(await stateOf(pod)).toBe('true,0');
    }
    expect(kept).toEqual(classes.map(() => ({ file: ['644', name] })));
  });
});

function stateOf(pod: string): Promise<string> {
  const state = '{.status.containerStatuses[0].ready},{.status.containerStatuses[0].restartCount}';
  return story.kubectl('get', 'pod', pod, `--output=jsonpath=${state}`);
}
