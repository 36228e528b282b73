import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { ALL_FEATURES_VALUES } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { installRelease, type Release } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };
const SOCKET = { socketName: 'aws-switched' };
/** Longer than an answer of AWS is good for. */
const LATER_MS = 6_000;

const cluster = await openCluster();

describe.runIf(cluster.owned)('without rotation and without sync of Secrets', () => {
  const resources = new AsyncDisposableStack();
  let scenario: Scenario;
  let release: Release;

  beforeAll(async () => {
    resources.defer(() => cluster.restartDriver());
    release = resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-switched', SOCKET));
    scenario = resources.use(await openScenario(cluster, 'switched-on'));
  });

  afterAll(() => resources.disposeAsync());

  /** A pod that takes its password from the Secret. */
  function program(name: string): object {
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } }];
    return scenario.pod(name, { classes: ['login'], env });
  }

  /** What a pod has in its environment, and in its file. */
  async function heldBy(pod: string): Promise<string> {
    return (await scenario.exec(pod, 'sh', '-c', 'echo "$PASSWORD,$(cat /mnt/login/password)"')).trim();
  }

  test('pods keep old values until rotation and sync are enabled in the chart; then running ones are updated', async () => {
    await scenario.seed.secret('login', 'p1');
    const object = { objectName: 'login', objectType: 'secretsmanager', objectAlias: 'password' };
    const secret = { secretName: 'login', type: 'Opaque', data: [{ objectName: 'password', key: 'password' }] };
    const provider = SOCKET.socketName;
    await scenario.apply(secretProviderClass('login', [object], { provider, secretObjects: [secret] }));
    await cluster.restartDriver({ rotation: false, syncSecret: true });
    await scenario.startPods(program('old'));
    await cluster.restartDriver({ rotation: false });

    await scenario.seed.secretVersion('login', 'p2');
    await sleep(LATER_MS);
    await scenario.startPods(program('new'));
    const stale = [await heldBy('old'), await heldBy('new'), (await scenario.secretOf('login'))?.data];
    await release.upgrade({ ...SOCKET, ...ALL_FEATURES_VALUES });
    await expect.poll(() => heldBy('old'), PATIENCE).toBe('p1,p2');
    await expect.poll(async () => (await scenario.secretOf('login'))?.data, PATIENCE).toEqual({ password: 'p2' });
    await scenario.startPods(program('next'));
    await scenario.seed.secretVersion('login', 'p3');
    for (const pod of ['old', 'new', 'next']) {
      await expect.poll(() => heldBy(pod), PATIENCE).toContain(',p3');
    }

    await expect.poll(async () => (await scenario.secretOf('login'))?.data, PATIENCE).toEqual({ password: 'p3' });

    // The file of a new pod is what AWS says; its variable is what the Secret was left with.
    expect(stale).toEqual(['p1,p1', 'p1,p2', { password: 'p1' }]);
    expect(await heldBy('next')).toBe('p2,p3');
    const restarts = '--output=jsonpath={.items[*].status.containerStatuses[0].restartCount}';
    expect(await scenario.kubectl('get', 'pods', restarts)).toBe('0 0 0');
  });
});
