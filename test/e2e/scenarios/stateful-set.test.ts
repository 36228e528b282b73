import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass, workload } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { firstListing, listsFirst } from '../provider/with-container.ts';

/** Longer than an answer of AWS is good for. */
const LATER_MS = 5_500;

const cluster = await openCluster();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'stateful-set');
});

afterAll(() => scenario[Symbol.asyncDispose]());

async function scale(name: string, replicas: number): Promise<void> {
  await scenario.kubectl('scale', 'statefulset', name, `--replicas=${replicas}`);
  await scenario.kubectl('rollout', 'status', `statefulset/${name}`, '--timeout=90s');
}

function uidOf(pod: string): Promise<string> {
  return scenario.kubectl('get', 'pod', pod, '--output=jsonpath={.metadata.uid}');
}

test.concurrent.for(BOTH_WAYS)(
  'the next pod of the same name starts with the current secret: %s',
  async ([, provider], { expect }) => {
    const [name, pod] = [provider, `${provider}-0`];
    await scenario.seed.secret(name, 'p1');
    const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'db' };
    const looking = listsFirst(scenario.pod(name, { classes: [name] }), name);
    await scenario.apply(secretProviderClass(name, [object], { provider }), workload('StatefulSet', looking));
    await scale(name, 1);
    const [firstUid, first] = [await uidOf(pod), await firstListing(scenario, pod)];

    await scale(name, 0);
    await scenario.kubectl('wait', 'pod', pod, '--for=delete', '--timeout=60s');
    await scenario.seed.secretVersion(name, 'p2');
    await sleep(LATER_MS);
    await scale(name, 1);

    expect(first).toEqual({ db: ['644', 'p1'] });
    expect(await uidOf(pod)).not.toBe(firstUid);
    expect(await firstListing(scenario, pod)).toEqual({ db: ['644', 'p2'] });
  },
);
