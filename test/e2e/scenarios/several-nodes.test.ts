import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { INTERVAL_MS } from '../provider/facts.ts';
import { type MadeUpNodes, startMadeUpNodes } from '../provider/made-up-nodes.ts';
import { textsIn } from '../provider/node-volume.ts';
import { secretProviderClass, workload } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 250 };
const FLAGS = [
  '--socket-name=aws-spread',
  '--enable-secret-rotation',
  '--sync-secret',
  '--restart-on-rotation',
  '--restart-min-interval=1s',
];
/** By node: half of them hear of a rotation when the others have long acted upon it. */
const INTERVALS_MS = [INTERVAL_MS, INTERVAL_MS, 3 * INTERVAL_MS, 3 * INTERVAL_MS];
const NODES = INTERVALS_MS.length;
/** Longer than half of them wait between two polls. */
const REST_MS = INTERVAL_MS + 5_000;

const cluster = await openCluster();
const resources = new AsyncDisposableStack();
let scenario: Scenario;
let nodes: MadeUpNodes;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'several-nodes');
  const flags = INTERVALS_MS.map((ms) => [...FLAGS, `--rotation-poll-interval=${ms}ms`]);
  nodes = await startMadeUpNodes(cluster, scenario, flags);
  // Pods go while their nodes are there.
  resources.use(nodes);
  resources.use(scenario);
});

afterAll(() => resources.disposeAsync());

function placed(name: string, place: object): object {
  const { spec, ...rest } = scenario.pod(name, { classes: ['login'] }) as { readonly spec: object };
  return { ...rest, spec: { ...spec, ...place } };
}

interface Deployment {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
}

async function web(): Promise<Deployment['metadata']> {
  const found: Deployment = JSON.parse(await scenario.kubectl('get', 'deployment', 'web', '--output=json'));
  return found.metadata;
}

/** What the Deployment's pods found in their volumes when they began. */
async function firstTexts(): Promise<readonly unknown[]> {
  const names = await scenario.kubectl(
    'get',
    'pods',
    '--selector=app=web',
    '--output=jsonpath={.items[*].metadata.name}',
  );
  return names.split(' ').map((name) => nodes.firstTexts.get(`${name}/login`)?.['password']);
}

test(`${NODES} nodes agree on one Secret and restart a workload once per rotation, whose new pods start with the new value on each`, async () => {
  await scenario.seed.secret('login', 'p1');
  const object = { objectName: 'login', objectType: 'secretsmanager', objectAlias: 'password' };
  const secret = { secretName: 'login', type: 'Opaque', data: [{ objectName: 'password', key: 'password' }] };
  await scenario.apply(secretProviderClass('login', [object], { provider: 'aws-spread', secretObjects: [secret] }));
  const solos = nodes.names.map((node, index) => placed(`solo-${index}`, nodes.on(node)));
  const annotations = { 'aws-secrets-csi/restart-on-rotation': 'true' };
  const owners = [...solos.map(() => 'Pod'), 'ReplicaSet'];
  await scenario.startPods(
    workload('Deployment', placed('web', nodes.spread('web')), { replicas: NODES, annotations }),
    ...solos,
  );
  const hosts = await scenario.kubectl(
    'get',
    'pods',
    '--selector=app=web',
    '--output=jsonpath={.items[*].spec.nodeName}',
  );
  const made = await scenario.secretOf('login');
  const { generation } = await web();

  for (const [round, value] of ['p2', 'p3'].entries()) {
    const rotatedAt = performance.now();
    await scenario.seed.secretVersion('login', value);
    await expect.poll(async () => (await web()).generation, PATIENCE).toBe(generation + round + 1);
    await scenario.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    const tookMs = performance.now() - rotatedAt;
    console.log(`rotation ${round + 1}: ${NODES} pods on ${NODES} nodes rolled after ${(tookMs / 1000).toFixed(1)} s`);
    expect(await firstTexts()).toEqual(Array.from({ length: NODES }, () => value));
    expect(await scenario.secretOf('login')).toMatchObject({ data: { password: value } });
    // The ReplicaSet before leaves the Secret when its pods are seen to have gone.
    await expect.poll(async () => (await scenario.secretOf('login'))?.owners, PATIENCE).toEqual(owners);
  }
  const all = Array.from({ length: 2 * NODES }, () => ({ password: 'p3' }));
  await expect.poll(() => Promise.all([...nodes.volumes.values()].map(textsIn)), PATIENCE).toEqual(all);
  const settled = [(await scenario.secretOf('login'))?.resourceVersion, (await web()).resourceVersion];
  const asked = scenario.aws.gate.state.calls.length;
  await sleep(REST_MS);
  const left = [(await scenario.secretOf('login'))?.resourceVersion, (await web()).resourceVersion];
  console.log(
    `at rest ${NODES} nodes asked AWS ${scenario.aws.gate.state.calls.length - asked} times in ${REST_MS / 1000} s`,
  );

  expect(new Set(hosts.split(' ')).size).toBe(NODES);
  expect(made).toMatchObject({ data: { password: 'p1' }, owners });
  expect(left).toEqual(settled);
  expect((await web()).generation).toBe(generation + 2);
  expect(await scenario.secretOf('login')).toMatchObject({ data: { password: 'p3' }, owners });
});
