import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { FRESH_WITHIN_MS, ALL_FEATURES } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { killProvider, providerIsBack, type ProviderPod, providerPod } from '../provider/provider-process.ts';
import { PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 200 };
const RELEASE = 'aws-secrets-csi-all-features';

const cluster = await openCluster();

describe.runIf(cluster.owned)(
  "a provider that ends after a rotation, before it has polled, with the driver's rotation off",
  () => {
    let scenario: Scenario;

    beforeAll(async () => {
      scenario = await openScenario(cluster, 'rotation-interrupted');
      await cluster.restartDriver({ rotation: false });
    });

    afterAll(async () => {
      await scenario[Symbol.asyncDispose]();
      await cluster.restartDriver();
    });

    const ENDS = {
      'is killed': async (pod: ProviderPod) => {
        await killProvider(pod);
        await providerIsBack(cluster, RELEASE, pod);
      },
      'is deleted with its pod': async ({ metadata }: ProviderPod) => {
        const namespace = `--namespace=${PROVIDER_NAMESPACE}`;
        await cluster.kubectl(['delete', 'pod', metadata.name, namespace]);
        await cluster.kubectl(['rollout', 'status', `daemonset/${RELEASE}`, namespace, '--timeout=60s']);
      },
    };

    test.for(['is killed', 'is deleted with its pod'] as const)(
      'leaves it to the next one: it %s',
      async (how, { expect }) => {
        const name = how.replaceAll(' ', '-');
        await scenario.seed.secret(name, 'p1');
        const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'file' };
        await scenario.apply(secretProviderClass(name, [object], { provider: ALL_FEATURES }));
        await scenario.startPods(
          ...['one', 'two'].map((which) => scenario.pod(`${which}-${name}`, { classes: [name] })),
        );
        const before = await providerPod(cluster, RELEASE);
        const { state } = scenario.aws.gate;
        const [looks, sessions] = [state.count({ resource: name }), state.count({ service: 'sts' })];

        // After a poll there is time until the next.
        await expect.poll(() => state.count({ resource: name }), PATIENCE).toBeGreaterThan(looks);
        await sleep(1_000);
        await scenario.seed.secretVersion(name, 'p2');
        await ENDS[how](before);
        const backAt = performance.now();
        for (const which of ['one', 'two']) {
          await expect
            .poll(() => scenario.filesOf(`${which}-${name}`, name), PATIENCE)
            .toEqual({ file: ['644', 'p2'] });
        }
        const tookMs = performance.now() - backAt;
        console.log(`provider ${how}: the new values were there ${(tookMs / 1000).toFixed(1)} s after its return`);
        const after = await providerPod(cluster, RELEASE);

        expect(tookMs).toBeLessThanOrEqual(FRESH_WITHIN_MS);
        expect(containerOf(after)).not.toBe(containerOf(before));
        // With a token that the new one requested from the API server, because no call sends any.
        expect(state.count({ service: 'sts' })).toBeGreaterThan(sessions);
        async function told(): Promise<readonly string[]> {
          return (await scenario.eventsOf(`one-${name}`)).map(({ reason }) => reason);
        }
        await expect.poll(told, PATIENCE).toEqual(['SecretsRotated']);
      },
    );
  },
);

function containerOf({ status }: ProviderPod): string {
  return status.containerStatuses[0].containerID;
}
