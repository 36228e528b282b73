import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { killProvider, killProviderPod, providerIsBack, providerPod } from '../provider/provider-process.ts';
import { installRelease } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { firstListing, listsFirst } from '../provider/with-container.ts';

const PATIENCE = { timeout: 60_000, interval: 100 };
/** Of this scenario's own: the kubelet lets what dies often wait. */
const RELEASES = [
  ['aws-secrets-csi-mortal', { socketName: 'aws-mortal' }],
  ['aws-secrets-csi-mortal-driver-writes', { socketName: 'aws-mortal-driver-writes', driverWritesSecrets: true }],
] as const;

const cluster = await openCluster();

describe.runIf(cluster.owned)('a provider that is killed', () => {
  const resources = new AsyncDisposableStack();
  let scenario: Scenario;

  beforeAll(async () => {
    for (const [name, values] of RELEASES) {
      resources.use(await installRelease(cluster, inject('provider'), name, values));
    }
    scenario = resources.use(await openScenario(cluster, 'provider-killed'));
  });

  afterAll(() => resources.disposeAsync());

  async function applyClass(name: string, provider: string): Promise<void> {
    const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'db' };
    await scenario.seed.secret(name, 'p1');
    await scenario.apply(secretProviderClass(name, [object], { provider }));
  }

  test.for(RELEASES)(
    'in the middle of a first mount: the pod starts with its files: %s',
    async ([release, { socketName: provider }]) => {
      const name = `cut-${provider}`;
      const before = await providerPod(cluster, release);
      await applyClass(name, provider);
      const pod = listsFirst(scenario.pod(name, { classes: [name] }), name);
      using _ = scenario.aws.gate.state.inject({ kind: 'delay', ms: 3_000 }, { resource: name }, 1);

      await scenario.apply(pod);
      await expect.poll(() => scenario.aws.gate.state.count({ resource: name }), PATIENCE).toBe(1);
      await killProvider(before);
      await scenario.startPods(pod);
      await providerIsBack(cluster, release, before);

      expect(await firstListing(scenario, name)).toEqual({ db: ['644', 'p1'] });
    },
  );

  test.for(RELEASES)(
    'with its pod, leaving its socket: a pod waits for its restart and starts with its files: %s',
    async ([release, { socketName: provider }]) => {
      const name = `left-${provider}`;
      const before = await providerPod(cluster, release);
      const socket = `/var/run/secrets-store-csi-providers/${provider}.sock`;
      await applyClass(name, provider);
      const pod = listsFirst(scenario.pod(name, { classes: [name] }), name);

      await killProviderPod(before);
      const left = await cluster.runInNode(['stat', '--format=%F %i', socket]);
      await scenario.startPods(pod);
      await providerIsBack(cluster, release, before);

      expect(left).toMatch(/^socket/);
      expect(await firstListing(scenario, name)).toEqual({ db: ['644', 'p1'] });
      expect(await cluster.runInNode(['stat', '--format=%F %i', socket])).not.toBe(left);
    },
  );
});
