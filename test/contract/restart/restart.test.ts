import { afterAll, beforeAll, describe, it } from 'vitest';
import { contentsOf } from '../daemon/node.ts';
import { type ClusterNode, startCluster, type StartedPod, type TestCluster } from '../rotation/cluster.ts';
import { addClass, INTERVAL_MS, objectOf, ownedBy, secretIn, SECRETS, SOON, SYNC } from '../sync/synced.ts';
import {
  addReplicaSet,
  addWorkload,
  mountSecond,
  untilNoted,
  watchRolls,
  workloadIn,
  workloadPath,
} from './workloads.ts';

const ARGS = [...SYNC, '--token-request', '--restart-on-rotation', '--restart-min-interval=1ms'];

let cluster: TestCluster;
let nodes: readonly ClusterNode[];

beforeAll(async () => {
  cluster = await startCluster();
  const names = ['node-1', 'node-2', 'node-3', 'node-4'];
  nodes = await Promise.all(names.map((name) => cluster.startNode(name, ARGS)));
});

afterAll(() => cluster[Symbol.asyncDispose]());

/** One on each node. */
async function startPods(
  prefix: string,
  className: string,
  owner: ReturnType<typeof ownedBy>,
): Promise<readonly StartedPod[]> {
  return await Promise.all(nodes.map((node) => node.startPod(`${prefix}-${node.name}`, { className, owner })));
}

async function eventsOf(pods: readonly StartedPod[]): Promise<readonly string[]> {
  const events = await Promise.all(pods.map(({ name }) => cluster.eventsOf(name)));
  return events.flat().map(({ reason }) => reason);
}

async function restartsToldTo(pods: readonly StartedPod[]): Promise<readonly string[]> {
  return (await eventsOf(pods)).filter((reason) => reason === 'WorkloadRestarted');
}

describe.concurrent('a workload that opts in to restarts', () => {
  it.for(['Deployment', 'StatefulSet', 'DaemonSet'] as const)(
    'is recorded when first seen, and restarted once for a rotation that four nodes see, after its Secret has changed: %s',
    async (kind, { expect }) => {
      const name = kind.toLowerCase();
      await addClass(cluster, name, 'p1');
      const owner = addWorkload(cluster, kind, name, { secrets: name });
      const values: unknown[] = [];
      using rolls = watchRolls(cluster, kind, name, () => values.push(secretIn(cluster, name)?.data));

      const pods = await startPods(name, name, owner);
      await untilNoted(expect, cluster, kind, name);
      await cluster.clock.sleep(2 * INTERVAL_MS);
      const noted = workloadIn(cluster, kind, name);
      const before = values.length;
      await cluster.seed.secretVersion(name, 'p2');
      await expect.poll(() => workloadIn(cluster, kind, name).template, SOON).toBeDefined();
      await expect.poll(() => restartsToldTo(pods), SOON).toHaveLength(1);
      await cluster.clock.sleep(3 * INTERVAL_MS);

      expect(noted).toEqual({
        noted: expect.stringContaining('"secrets"'),
        restartedAt: undefined,
        template: undefined,
      });
      expect(rolls.seen).toHaveLength(1);
      expect(new Set(values.slice(before).map((value) => JSON.stringify(value)))).toEqual(
        new Set(['{"password":"p2"}']),
      );
      expect(await restartsToldTo(pods)).toHaveLength(1);
    },
  );

  it('is not restarted again by its new pods, nor by remaining old ones', async ({ expect }) => {
    await addClass(cluster, 'rollout', 'p1');
    const old = await startPods(
      'rollout-old',
      'rollout',
      addWorkload(cluster, 'Deployment', 'rollout', { secrets: 'rollout' }),
    );
    await untilNoted(expect, cluster, 'Deployment', 'rollout');
    using rolls = watchRolls(cluster, 'Deployment', 'rollout');
    await cluster.seed.secretVersion('rollout', 'p2');
    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);

    await startPods('rollout-new', 'rollout', addReplicaSet(cluster, 'rollout', 2));
    await nodes[0]!.stopPod(old[0]!);
    await cluster.clock.sleep(3 * INTERVAL_MS);

    expect(rolls.seen).toHaveLength(1);
    await expect
      .poll(() => secretIn(cluster, 'rollout')?.owners, SOON)
      .toEqual(['ReplicaSet rollout-1', 'ReplicaSet rollout-2']);
  });

  it('is restarted for the class whose versions change, if it mounts two', async ({ expect }) => {
    await addClass(cluster, 'first', 'p1');
    await addClass(cluster, 'second', 's1');
    const owner = addWorkload(cluster, 'Deployment', 'two', { secrets: 'first', more: 'second' });
    using rolls = watchRolls(cluster, 'Deployment', 'two');
    for (const node of nodes.slice(0, 2)) {
      const pod = await node.startPod(`two-${node.name}`, { className: 'first', owner });
      await mountSecond(cluster, node, pod, 'more', 'second');
    }
    await untilNoted(expect, cluster, 'Deployment', 'two', ['more', 'secrets']);
    expect(rolls.seen).toEqual([]);

    await cluster.seed.secretVersion('second', 's2');
    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
    await cluster.seed.secretVersion('first', 'p2');
    await expect.poll(() => rolls.seen, SOON).toHaveLength(2);
    await cluster.clock.sleep(2 * INTERVAL_MS);

    expect(rolls.seen).toHaveLength(2);
    expect(new Set(rolls.seen.map(({ template }) => template)).size).toBe(2);
  });

  it('is restarted for a rolled back value, and not again by a node that learns of it only from its new pod', async ({
    expect,
  }) => {
    await using slow = await cluster.startNode('slow', [
      '--enable-secret-rotation',
      '--sync-secret',
      '--restart-on-rotation',
      '--restart-min-interval=1ms',
    ]);
    await addClass(cluster, 'behind', 'p1');
    const owner = addWorkload(cluster, 'StatefulSet', 'behind', { secrets: 'behind' });
    using rolls = watchRolls(cluster, 'StatefulSet', 'behind');
    await nodes[0]!.startPod('behind-1', { className: 'behind', owner });
    const old = await slow.startPod('behind-2', { className: 'behind', owner });
    await untilNoted(expect, cluster, 'StatefulSet', 'behind');
    // AWS's responses tell the time in whole seconds: closer together, the nodes might not agree on what is newer.
    await cluster.clock.sleep(2_000);

    await cluster.seed.secretVersion('behind', 'p2');
    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
    const anew = await slow.startPod('behind-3', { className: 'behind', owner });
    await expect.poll(() => contentsOf(anew.targetPath), SOON).toEqual({ behind: ['644', 'p2'] });
    await cluster.clock.sleep(2 * INTERVAL_MS);
    expect(await contentsOf(old.targetPath)).toMatchObject({ behind: [expect.anything(), 'p1'] });
    expect(rolls.seen).toHaveLength(1);
    await cluster.seed.secretVersion('behind', 'p1');

    await expect.poll(() => rolls.seen, SOON).toHaveLength(2);
  });

  it('is restarted only once its Secret could be written, after the API server failed at that', async ({ expect }) => {
    await addClass(cluster, 'failing', 'p1');
    const owner = addWorkload(cluster, 'DaemonSet', 'failing', { secrets: 'failing' });
    const values: unknown[] = [];
    await startPods('failing', 'failing', owner);
    await untilNoted(expect, cluster, 'DaemonSet', 'failing');
    using rolls = watchRolls(cluster, 'DaemonSet', 'failing', () => values.push(secretIn(cluster, 'failing')?.data));
    const broken = cluster.api.inject(
      { kind: 'status', status: 503, message: 'etcd leader changed' },
      (method, path) => method === 'PATCH' && path === `${SECRETS}/failing`,
    );

    await cluster.seed.secretVersion('failing', 'p2');
    await cluster.clock.sleep(3 * INTERVAL_MS);
    const meanwhile = rolls.seen.length;
    broken[Symbol.dispose]();

    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
    expect(meanwhile).toBe(0);
    expect(new Set(values.map((value) => JSON.stringify(value)))).toEqual(new Set(['{"password":"p2"}']));
  });

  it('is restarted only once its Secret has been recreated, after that was being deleted', async ({ expect }) => {
    await addClass(cluster, 'deleted', 'p1');
    const owner = addWorkload(cluster, 'DaemonSet', 'deleted', { secrets: 'deleted' });
    const values: unknown[] = [];
    const pods = await startPods('deleted', 'deleted', owner);
    await untilNoted(expect, cluster, 'DaemonSet', 'deleted');
    using rolls = watchRolls(cluster, 'DaemonSet', 'deleted', () => values.push(secretIn(cluster, 'deleted')?.data));
    await cluster.kube.patch(`${SECRETS}/deleted`, {
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/hold'] },
    });

    await cluster.seed.secretVersion('deleted', 'p2');
    await expect.poll(async () => (await eventsOf(pods)).length, SOON).toBeGreaterThan(pods.length);
    const meanwhile = rolls.seen.length;
    cluster.api.remove(`${SECRETS}/deleted`);

    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
    expect(meanwhile).toBe(0);
    expect(new Set(values.map((value) => JSON.stringify(value)))).toEqual(new Set(['{"password":"p2"}']));
  });

  it('is restarted although its Secret is permanently refused', async ({ expect }) => {
    cluster.api.put({ apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'shop', name: 'refused' } });
    await addClass(cluster, 'refused', 'p1');
    const owner = addWorkload(cluster, 'DaemonSet', 'refused', { secrets: 'refused' });
    using rolls = watchRolls(cluster, 'DaemonSet', 'refused');
    await nodes[0]!.startPod('refused-1', { className: 'refused', owner });
    await untilNoted(expect, cluster, 'DaemonSet', 'refused');

    await cluster.seed.secretVersion('refused', 'p2');

    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
  });
});

describe.concurrent('what does not opt in to restarts', () => {
  it('is not restarted: a workload without annotation, one that says "false", and pods without a workload', async ({
    expect,
  }) => {
    await addClass(cluster, 'silent', 'p1');
    const owners = [
      addWorkload(cluster, 'Deployment', 'silent', { secrets: 'silent' }, {}),
      addWorkload(
        cluster,
        'StatefulSet',
        'silent',
        { secrets: 'silent' },
        { 'aws-secrets-csi/restart-on-rotation': 'false' },
      ),
      { ...ownedBy('silent-job', 'Job'), apiVersion: 'batch/v1' },
      ownedBy('silent-without-workload'),
    ];
    const pods = await Promise.all([
      nodes[0]!.startPod('silent-bare', { className: 'silent' }),
      ...owners.map((owner, index) => nodes[1]!.startPod(`silent-${index}`, { className: 'silent', owner })),
    ]);

    await cluster.seed.secretVersion('silent', 'p2');
    await expect
      .poll(() => Promise.all(pods.map(({ targetPath }) => contentsOf(targetPath))), SOON)
      .toEqual(pods.map(() => ({ silent: ['644', 'p2'] })));
    await cluster.clock.sleep(INTERVAL_MS);

    expect(
      cluster.api.requests.filter((request) => request.startsWith('PATCH /apis/apps/') && request.includes('/silent')),
    ).toEqual([]);
    expect(new Set(await eventsOf(pods))).toEqual(new Set(['SecretsRotated']));
  });
});

describe('a restart of the provider', () => {
  it('restarts nothing by itself, and workloads with changes meanwhile once', async ({ expect }) => {
    await addClass(cluster, 'away', 'p1');
    await cluster.applyClass('away', { objects: [objectOf('away')] });
    const owner = addWorkload(cluster, 'Deployment', 'away', { secrets: 'away' });
    using rolls = watchRolls(cluster, 'Deployment', 'away');
    await startPods('away', 'away', owner);
    await untilNoted(expect, cluster, 'Deployment', 'away');

    await Promise.all(nodes.map((node) => node.restart()));
    await cluster.clock.sleep(2 * INTERVAL_MS);
    const afterNothing = rolls.seen.length;
    const [first, ...others] = nodes;
    await first!.restart(async () => {
      await Promise.all(others.map((node) => node.restart()));
      await cluster.seed.secretVersion('away', 'p2');
    });
    await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
    await Promise.all(nodes.map((node) => node.restart()));
    await cluster.clock.sleep(2 * INTERVAL_MS);

    expect(afterNothing).toBe(0);
    expect(rolls.seen).toHaveLength(1);
    expect(cluster.api.requests).toContainEqual(expect.stringContaining(`PATCH ${workloadPath('Deployment', 'away')}`));
  });
});
