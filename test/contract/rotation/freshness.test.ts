import { afterAll, beforeAll, expect, it } from 'vitest';
import { statsBelow } from '../publish/pod-view.ts';
import { contentsOf } from '../daemon/node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import { SOON } from './values.ts';
import { type StartedPod, versionsOf } from './objects.ts';

const INTERVAL_MS = 5_000;
/** Besides the interval: the time of publishing. */
const MARGIN_MS = 5_000;

let cluster: TestCluster;
let node: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', ['--enable-secret-rotation', `--rotation-poll-interval=${INTERVAL_MS}ms`]);
});

afterAll(() => cluster[Symbol.asyncDispose]());

function login(password: string): string {
  return JSON.stringify({ user: 'app', password });
}

it('brings a rotated value to every pod of the node within the interval and five seconds, without a Mount call', async () => {
  await cluster.addAccount('worker');
  await cluster.seed.secret('db', login('p1'));
  await cluster.seed.parameter('/url', 'https://one.example');
  await cluster.seed.secret('still', 'still');
  const db = {
    objectName: 'db',
    objectType: 'secretsmanager',
    jmesPath: [{ path: 'password', objectAlias: 'password', filePermission: '0400' }],
  };
  const url = { objectName: '/url', objectType: 'ssmparameter', objectAlias: 'url' };
  const still = { objectName: 'still', objectType: 'secretsmanager' };
  await cluster.applyClass('changing', { objects: [db, url, still] });
  await cluster.applyClass('unchanged', { objects: [still] });
  const changing: StartedPod[] = [];
  for (const [index, serviceAccount] of ['web', 'web', 'web', 'worker', 'worker'].entries()) {
    changing.push(await node.startPod(`changing-${index}`, { className: 'changing', serviceAccount }));
  }
  const unchanged = await node.startPod('unchanged-1', { className: 'unchanged' });
  const traceBefore = statsBelow(unchanged.targetPath);
  const callsBefore = cluster.aws.gate.state.calls.length;

  const rotatedAt = cluster.clock.now();
  const version = await cluster.seed.secretVersion('db', login('p2'));
  await cluster.seed.parameter('/url', 'https://two.example');

  const expected = {
    db: ['644', login('p2')],
    password: ['400', 'p2'],
    url: ['644', 'https://two.example'],
    still: ['644', 'still'],
  };
  await expect
    .poll(() => Promise.all(changing.map(({ targetPath }) => contentsOf(targetPath))), SOON)
    .toEqual(changing.map(() => expected));
  const tookMs = cluster.clock.now() - rotatedAt;
  expect(tookMs).toBeLessThan(INTERVAL_MS + MARGIN_MS);
  await expect
    .poll(() => Promise.all(changing.map((pod) => versionsOf(cluster.kube, pod))), SOON)
    .toEqual(changing.map(() => expect.objectContaining({ db: version, password: version, url: '2' })));
  expect(statsBelow(unchanged.targetPath)).toEqual(traceBefore);
  // Two identities; one request to each store for each.
  expect(cluster.aws.gate.state.calls.length - callsBefore).toBeLessThanOrEqual(8);
  expect(await cluster.eventsOf('changing-0')).toMatchObject([
    { type: 'Normal', reason: 'SecretsRotated', message: expect.stringContaining('db, password, url') },
  ]);
});
