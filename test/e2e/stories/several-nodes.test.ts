import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { FRESH_WITHIN_MS, INTERVAL_MS } from '../provider/facts.ts';
import { type MadeUpNodes, startMadeUpNodes } from '../provider/made-up-nodes.ts';
import { textsIn } from '../provider/node-volume.ts';
import { secretProviderClass, workload } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';

const PATIENCE = { timeout: 60_000, interval: 250 };
const NODES = 4;
const FLAGS = [
  '--socket-name=aws-spread',
  '--enable-secret-rotation',
  `--rotation-poll-interval=${INTERVAL_MS}ms`,
  '--sync-secret',
  '--restart-on-rotation',
  '--restart-min-interval=1s',
];

const cluster = await openCluster();
const resources = new AsyncDisposableStack();
let story: Story;
let nodes: MadeUpNodes;

beforeAll(async () => {
  story = await openStory(cluster, 'several-nodes');
  nodes = await startMadeUpNodes(cluster, story, NODES, FLAGS);
  // Pods go while their nodes are there.
  resources.use(nodes);
  resources.use(story);
});

afterAll(() => resources.disposeAsync());

function spread(name: string): object {
  const { spec, ...rest } = story.pod(name, { classes: ['login'] }) as { readonly spec: object };
  return { ...rest, spec: { ...spec, ...nodes.placement } };
}

interface Web {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly spec: { readonly template: { readonly metadata: { readonly annotations?: object } } };
}

async function web(): Promise<Web> {
  return JSON.parse(await story.kubectl('get', 'deployment', 'web', '--output=json'));
}

function textsOnNodes(): Promise<readonly object[]> {
  return Promise.all([...nodes.volumes.values()].map(textsIn));
}

test(`${NODES} nodes agree on one Secret and roll a workload once for each rotation`, async () => {
  await story.seed.secret('login', 'p1');
  const object = { objectName: 'login', objectType: 'secretsmanager', objectAlias: 'password' };
  const secret = { secretName: 'login', type: 'Opaque', data: [{ objectName: 'password', key: 'password' }] };
  await story.apply(secretProviderClass('login', [object], { provider: 'aws-spread', secretObjects: [secret] }));
  const solos = Array.from({ length: NODES }, (_, index) => `solo-${index}`);
  const annotations = { 'aws-secrets-csi/restart-on-rotation': 'true' };
  const owners = [...solos.map(() => 'Pod'), 'ReplicaSet'];
  await story.startPods(workload('Deployment', spread('web'), { replicas: NODES, annotations }), ...solos.map(spread));
  const hosts = await story.kubectl('get', 'pods', '--output=jsonpath={.items[*].spec.nodeName}');
  const made = await story.secretOf('login');
  const first = await web();

  for (const [round, value] of ['p2', 'p3'].entries()) {
    const rotatedAt = performance.now();
    await story.seed.secretVersion('login', value);
    await expect.poll(textsOnNodes, PATIENCE).toEqual(Array.from({ length: 2 * NODES }, () => ({ password: value })));
    const tookMs = performance.now() - rotatedAt;
    await expect.poll(async () => (await story.secretOf('login'))?.data, PATIENCE).toEqual({ password: value });
    await expect
      .poll(async () => (await web()).metadata.generation, PATIENCE)
      .toBe(first.metadata.generation + round + 1);
    await story.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    // The ReplicaSet before goes from the Secret when its pods are seen to have gone.
    await expect.poll(async () => (await story.secretOf('login'))?.owners, PATIENCE).toEqual(owners);
    console.log(
      `rotation ${round + 1}: in all ${2 * NODES} volumes of ${NODES} nodes after ${(tookMs / 1000).toFixed(1)} s`,
    );
    expect(tookMs).toBeLessThanOrEqual(FRESH_WITHIN_MS);
  }
  const settled = [(await story.secretOf('login'))?.resourceVersion, (await web()).metadata.resourceVersion];
  const asked = story.aws.gate.state.calls.length;
  await sleep(2 * INTERVAL_MS);
  const left = [(await story.secretOf('login'))?.resourceVersion, (await web()).metadata.resourceVersion];
  console.log(`at rest ${NODES} nodes asked AWS ${story.aws.gate.state.calls.length - asked} times in two intervals`);

  expect(new Set(hosts.split(' ')).size).toBe(NODES);
  expect(made).toMatchObject({ data: { password: 'p1' }, owners });
  expect(left).toEqual(settled);
  expect((await web()).metadata.generation).toBe(first.metadata.generation + 2);
  expect(await story.secretOf('login')).toMatchObject({ data: { password: 'p3' }, owners });
});
