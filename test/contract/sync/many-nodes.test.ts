import { SecretsManagerClient, UpdateSecretVersionStageCommand } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, inject, it } from 'vitest';
import { OUTAGE } from '../../fakes/aws/faults.ts';
import { type Gate, startGate } from '../../fakes/aws/gate.ts';
import { accountKeys } from '../../fakes/aws/seed.ts';
import { contentsOf } from '../daemon/node.ts';
import {
  type ClusterNode,
  REGION,
  startCluster,
  type StartedPod,
  type TestCluster,
  versionsOf,
} from '../rotation/cluster.ts';
import {
  addClass,
  comesToRest,
  INTERVAL_MS,
  objectOf,
  ownedBy,
  secretIn,
  SECRETS,
  SOON,
  SYNC,
  writesOf,
  writesWithin,
} from './synced.ts';

const ARGS = [...SYNC, '--token-request'];

let cluster: TestCluster;
/** They call AWS through the same gate. */
let nodes: readonly ClusterNode[];
/** Calls AWS through a separate gate. */
let apart: ClusterNode;
let gateApart: Gate;

beforeAll(async () => {
  cluster = await startCluster();
  gateApart = await startGate({ motoUrl: inject('motoUrl') });
  cluster.aws.gate.state.roles.forEach((role) => gateApart.state.addRole(role));
  const names = ['node-1', 'node-2', 'node-3', 'node-4'];
  nodes = await Promise.all(names.map((name) => cluster.startNode(name, ARGS)));
  apart = await cluster.startNode('apart', ARGS, { env: { AWS_ENDPOINT_URL: gateApart.url } });
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  await gateApart[Symbol.asyncDispose]();
});

/** Three pods on each of the four nodes, alternately of two ReplicaSets, all at once. */
async function startPods(
  className: string,
): Promise<readonly { readonly node: ClusterNode; readonly pod: StartedPod }[]> {
  const places = nodes.flatMap((node, at) => [0, 1, 2].map((nth) => ({ node, index: at * 3 + nth })));
  return await Promise.all(
    places.map(async ({ node, index }) => {
      const owner = ownedBy(`${className}-rs-${index % 2}`);
      return { node, pod: await node.startPod(`${className}-${index}`, { className, owner }) };
    }),
  );
}

/** As the console's "roll back" does. */
async function moveCurrent(name: string, from: string, to: string): Promise<void> {
  const endpoint = inject('motoUrl');
  const credentials = await accountKeys(endpoint, `arn:aws:iam::${cluster.aws.account}:role/seed`, 'seed');
  const client = new SecretsManagerClient({ region: REGION, endpoint, credentials });
  const stage = { SecretId: name, VersionStage: 'AWSCURRENT', MoveToVersionId: to, RemoveFromVersionId: from };
  await client.send(new UpdateSecretVersionStageCommand(stage));
  client.destroy();
}

describe.concurrent('several nodes with one Secret', () => {
  it('create it together, update it for a rotation and its rollback, and release it, by a few writes each and none at rest', async ({
    expect,
  }) => {
    // Without a label moto continues with the version that was put last.
    await addClass(cluster, 'crowd', 'p1', {
      objects: [{ ...objectOf('crowd'), objectVersionLabel: 'AWSCURRENT' }],
    });
    const owners = ['ReplicaSet crowd-rs-0', 'ReplicaSet crowd-rs-1'];

    const pods = await startPods('crowd');
    expect(secretIn(cluster, 'crowd')).toMatchObject({ data: { password: 'p1' }, owners });
    const { uid } = secretIn(cluster, 'crowd')!;
    const { crowd: first = '' } = await versionsOf(cluster.kube, pods[0]!.pod);
    expect(await writesWithin(3, cluster, 'crowd')).toEqual([]);

    const beforeRotation = cluster.api.requests.length;
    const second = await cluster.seed.secretVersion('crowd', 'p2');
    await expect.poll(() => secretIn(cluster, 'crowd')?.data, SOON).toEqual({ password: 'p2' });
    await cluster.clock.sleep(2 * INTERVAL_MS);
    const rotating = writesOf(cluster, 'crowd', beforeRotation);

    const beforeRollback = cluster.api.requests.length;
    await moveCurrent('crowd', second, first);
    await expect.poll(() => secretIn(cluster, 'crowd')?.data, SOON).toEqual({ password: 'p1' });
    await cluster.clock.sleep(2 * INTERVAL_MS);
    const rollingBack = writesOf(cluster, 'crowd', beforeRollback);

    await comesToRest(cluster, 'crowd');
    expect(secretIn(cluster, 'crowd')).toMatchObject({ uid, data: { password: 'p1' }, owners });
    for (const writes of [rotating, rollingBack]) {
      expect(new Set(writes)).toEqual(new Set(['PATCH aws-secrets-csi']));
      // A node tries at most once: then it reads that another was faster.
      expect(writes.length).toBeLessThanOrEqual(nodes.length);
    }

    await Promise.all(pods.filter((_, index) => index % 2 === 0).map(({ node, pod }) => node.stopPod(pod)));
    await expect.poll(() => secretIn(cluster, 'crowd')?.owners, SOON).toEqual(owners.slice(1));
    await Promise.all(pods.filter((_, index) => index % 2 === 1).map(({ node, pod }) => node.stopPod(pod)));
    await expect.poll(() => secretIn(cluster, 'crowd'), SOON).toBeUndefined();
    // Another node may have read the Secret before it was deleted, and delete it too.
    expect((await writesWithin(2, cluster, 'crowd')).filter((write) => write !== 'DELETE')).toEqual([]);
  });

  it('agree after several rotations in a row, and after a manual deletion', async ({ expect }) => {
    await addClass(cluster, 'busy', 'p0');
    await startPods('busy');

    for (const nth of [1, 2, 3, 4, 5]) {
      await cluster.seed.secretVersion('busy', `p${nth}`);
      cluster.api.remove(`${SECRETS}/busy`);
      await cluster.clock.sleep(INTERVAL_MS / 2);
    }

    await expect
      .poll(() => secretIn(cluster, 'busy'), SOON)
      .toMatchObject({ data: { password: 'p5' }, owners: ['ReplicaSet busy-rs-0', 'ReplicaSet busy-rs-1'] });
    await comesToRest(cluster, 'busy');
    expect(secretIn(cluster, 'busy')?.data).toEqual({ password: 'p5' });
  });

  it('replace an immutable one together, and lose no owner', async ({ expect }) => {
    await addClass(cluster, 'stone', 'p1', { annotations: { 'aws-secrets-csi/sync-immutable': 'true' } });
    await startPods('stone');

    for (const value of ['p2', 'p3']) {
      await cluster.seed.secretVersion('stone', value);
      await expect
        .poll(() => secretIn(cluster, 'stone'), SOON)
        .toMatchObject({ data: { password: value }, owners: ['ReplicaSet stone-rs-0', 'ReplicaSet stone-rs-1'] });
    }

    await comesToRest(cluster, 'stone');
  });

  it('keep the new value if the cache of one of them has an older one, which it drops for the new pod and adds only its owner', async ({
    expect,
  }) => {
    await using slow = await cluster.startNode('slow', ['--enable-secret-rotation', '--sync-secret']);
    await addClass(cluster, 'memory', 'p1');
    await nodes[0]!.startPod('memory-1', { className: 'memory', owner: ownedBy('memory-rs') });
    await slow.startPod('memory-2', { className: 'memory', owner: ownedBy('memory-rs') });
    await cluster.seed.secretVersion('memory', 'p2');
    await expect.poll(() => secretIn(cluster, 'memory')?.data, SOON).toEqual({ password: 'p2' });
    const { confirmedAt } = secretIn(cluster, 'memory')!;
    const before = cluster.api.requests.length;

    const { targetPath } = await slow.startPod('memory-3', { className: 'memory', owner: ownedBy('late-rs') });

    expect(await contentsOf(targetPath)).toMatchObject({ memory: [expect.anything(), 'p2'] });
    expect(secretIn(cluster, 'memory')).toMatchObject({
      data: { password: 'p2' },
      owners: ['ReplicaSet late-rs', 'ReplicaSet memory-rs'],
      confirmedAt,
    });
    await cluster.clock.sleep(2 * INTERVAL_MS);
    expect(writesOf(cluster, 'memory', before)).toEqual(['PATCH aws-secrets-csi/uid-of-late-rs']);
  });

  it('get no old value back from one to which AWS does not respond, not even after a restart, and it catches up later', async ({
    expect,
  }) => {
    await addClass(cluster, 'frozen', 'p1');
    await nodes[0]!.startPod('frozen-1', { className: 'frozen', owner: ownedBy('frozen-rs') });
    const pod = await apart.startPod('frozen-2', { className: 'frozen', owner: ownedBy('frozen-rs') });
    const outage = gateApart.state.inject(OUTAGE);

    await cluster.seed.secretVersion('frozen', 'p2');
    await expect.poll(() => secretIn(cluster, 'frozen')?.data, SOON).toEqual({ password: 'p2' });
    const { resourceVersion } = secretIn(cluster, 'frozen')!;
    expect(await writesWithin(2, cluster, 'frozen')).toEqual([]);
    await apart.restart();
    expect(await writesWithin(3, cluster, 'frozen')).toEqual([]);
    const meanwhile = await contentsOf(pod.targetPath);
    outage[Symbol.dispose]();

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toMatchObject({ frozen: [expect.anything(), 'p2'] });
    expect(meanwhile).toMatchObject({ frozen: [expect.anything(), 'p1'] });
    expect(secretIn(cluster, 'frozen')?.resourceVersion).toBe(resourceVersion);
  });
});
