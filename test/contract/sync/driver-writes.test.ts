import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ClusterNode, startCluster, type TestCluster, versionsOf } from '../rotation/cluster.ts';
import { addClass, comesToRest, ownedBy, secretIn, SECRETS, SOON, SYNC, writesOf, writesWithin } from './synced.ts';

const ARGS = [...SYNC, '--driver-writes-secrets', '--token-request'];

let cluster: TestCluster;
let one: ClusterNode;
let other: ClusterNode;
/** Restarted by its test. */
let anew: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  one = await cluster.startNode('node-1', ARGS);
  other = await cluster.startNode('node-2', ARGS);
  anew = await cluster.startNode('node-3', ARGS);
});

afterAll(() => cluster[Symbol.asyncDispose]());

describe.concurrent('sync if the driver writes', () => {
  it('updates Secrets with rotation, and leaves volumes and statuses to the driver', async ({ expect }) => {
    await addClass(cluster, 'db', 'p1');
    const pod = await one.startPod('db-1', { className: 'db', owner: ownedBy('db-rs') });
    await other.startPod('db-2', { className: 'db', owner: ownedBy('db-rs') });
    // A Mount call waits for Secrets, but not forever.
    const made = { data: { password: 'p1' }, owners: ['ReplicaSet db-rs'] };
    await expect.poll(() => secretIn(cluster, 'db'), SOON).toMatchObject(made);
    await comesToRest(cluster, 'db');
    const noted = await versionsOf(cluster.kube, pod);
    const before = cluster.api.requests.length;

    const version = await cluster.seed.secretVersion('db', 'p2');
    await expect.poll(() => secretIn(cluster, 'db')?.data, SOON).toEqual({ password: 'p2' });
    await comesToRest(cluster, 'db');
    const notedStill = await versionsOf(cluster.kube, pod);
    const response = await one.republish(pod);

    // Of two nodes that write at the same time, one gets a conflict.
    expect(new Set(writesOf(cluster, 'db', before))).toEqual(new Set(['PATCH aws-secrets-csi']));
    expect(notedStill).toEqual(noted);
    expect(await readdir(pod.targetPath)).toEqual([]);
    expect(response).toMatchObject({
      objectVersion: [{ id: 'db', version }],
      files: [{ path: 'db', contents: Buffer.from('p2') }],
    });
  });

  it('maintains Secrets and owners after a restart, without a Mount call and without files of its own', async ({
    expect,
  }) => {
    await addClass(cluster, 'anew', 'p1');
    const pod = await anew.startPod('anew-1', { className: 'anew', owner: ownedBy('anew-rs') });
    await other.startPod('anew-2', { className: 'anew' });

    await anew.restart(async () => {
      await cluster.seed.secretVersion('anew', 'p2');
      cluster.api.remove(`${SECRETS}/anew`);
    });

    await expect
      .poll(() => secretIn(cluster, 'anew'), SOON)
      .toMatchObject({ data: { password: 'p2' }, owners: ['Pod anew-2', 'ReplicaSet anew-rs'] });
    await comesToRest(cluster, 'anew');
    await anew.stopPod(pod);
    await expect.poll(() => secretIn(cluster, 'anew')?.owners, SOON).toEqual(['Pod anew-2']);
  });

  it('leaves no owner of a pod that is deleted during a poll of AWS', async ({ expect }) => {
    await addClass(cluster, 'leaving', 'p1');
    await other.startPod('leaving-1', { className: 'leaving' });
    const pod = await one.startPod('leaving-2', { className: 'leaving', owner: ownedBy('leaving-rs') });
    const held = Promise.withResolvers<void>();
    using _ = cluster.aws.gate.state.inject({ kind: 'hold', until: held.promise }, { resource: 'leaving' });
    const asked = cluster.aws.gate.state.count({ resource: 'leaving' });
    await expect.poll(() => cluster.aws.gate.state.count({ resource: 'leaving' }), SOON).toBeGreaterThan(asked + 1);

    await one.stopPod(pod);
    held.resolve();

    await expect.poll(() => secretIn(cluster, 'leaving')?.owners, SOON).toEqual(['Pod leaving-1']);
    await writesWithin(6, cluster, 'leaving');
    await expect.poll(() => secretIn(cluster, 'leaving')?.owners, SOON).toEqual(['Pod leaving-1']);
  });
});
