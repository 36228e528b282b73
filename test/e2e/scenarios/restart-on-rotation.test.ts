import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { INTERVAL_MS, ALL_FEATURES } from '../provider/facts.ts';
import { secretProviderClass, workload } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { withContainer } from '../provider/with-container.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };
const ANNOTATIONS = { 'aws-secrets-csi/restart-on-rotation': 'true' };
/** Kind, replicas, and whether the author wants restarts. */
const WORKLOADS = [
  ['Deployment', 'web', 2, true],
  ['StatefulSet', 'db', 1, true],
  ['DaemonSet', 'agent', 1, true],
  ['Deployment', 'quiet', 1, false],
] as const;

const cluster = await openCluster();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'restart-on-rotation');
});

afterAll(() => scenario[Symbol.asyncDispose]());

/** A program that reads its password once, from its environment and from the file: it logs what it got. */
function program(name: string): object {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } }];
  const script = 'echo "$PASSWORD,$(cat /mnt/login/password)"; exec sleep infinity';
  return withContainer(scenario.pod(name, { classes: ['login'], env }), { command: ['sh', '-c', script] });
}

interface PodList {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly deletionTimestamp?: string } }[];
}

/** What the running pods of a workload got. */
async function heldBy(name: string): Promise<readonly string[]> {
  const pods: PodList = JSON.parse(await scenario.kubectl('get', 'pods', `--selector=app=${name}`, '--output=json'));
  const running = pods.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return Promise.all(running.map(async ({ metadata }) => (await scenario.kubectl('logs', metadata.name)).trim()));
}

/** Increases with each change of the spec of a workload, and so with each restart. */
async function generationOf(kind: string, name: string): Promise<number> {
  return Number(await scenario.kubectl('get', kind, name, '--output=jsonpath={.metadata.generation}'));
}

function generations(): Promise<readonly number[]> {
  return Promise.all(WORKLOADS.map(([kind, name]) => generationOf(kind, name)));
}

test('workloads that opt in are restarted once and have the new value; others continue with the old one', async () => {
  await scenario.seed.secret('login', 'p1');
  const object = { objectName: 'login', objectType: 'secretsmanager', objectAlias: 'password' };
  const secret = { secretName: 'login', type: 'Opaque', data: [{ objectName: 'password', key: 'password' }] };
  await scenario.apply(secretProviderClass('login', [object], { provider: ALL_FEATURES, secretObjects: [secret] }));
  await scenario.startPods(
    ...WORKLOADS.map(([kind, name, replicas, isWanted]) =>
      workload(kind, program(name), { replicas, annotations: isWanted ? ANNOTATIONS : {} }),
    ),
  );
  const held = await Promise.all(WORKLOADS.map(([, name]) => heldBy(name)));
  const before = await generations();

  const rotatedAt = performance.now();
  await scenario.seed.secretVersion('login', 'p2');
  for (const [kind, name, replicas, isWanted] of WORKLOADS) {
    const expected = Array.from({ length: replicas }, () => (isWanted ? 'p2,p2' : 'p1,p1'));
    await expect.poll(() => heldBy(name), PATIENCE).toEqual(expected);
    await scenario.kubectl('rollout', 'status', `${kind}/${name}`, '--timeout=60s');
  }
  console.log(`workloads were rolled and up again after ${((performance.now() - rotatedAt) / 1000).toFixed(1)} s`);
  const rolled = await generations();
  await sleep(2 * INTERVAL_MS);

  expect(held).toEqual(WORKLOADS.map(([, , replicas]) => Array.from({ length: replicas }, () => 'p1,p1')));
  expect(rolled).toEqual(before.map((generation, at) => generation + (WORKLOADS[at]?.[3] ? 1 : 0)));
  expect(await generations()).toEqual(rolled);
  expect(await scenario.exec('deployment/quiet', 'cat', '/mnt/login/password')).toBe('p2');
  const events = await scenario.kubectl('get', 'events', '--field-selector=reason=WorkloadRestarted', '--output=name');
  expect(events.trim().split('\n')).toHaveLength(3);
});
