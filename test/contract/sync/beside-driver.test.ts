import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ClusterNode, startCluster, type TestCluster } from '../rotation/cluster.ts';
import { playDriver } from './driver-sync.ts';
import { addClass, comesToRest, INTERVAL_MS, ownedBy, secretIn, SOON, SYNC, writesOf } from './synced.ts';

const ARGS = [...SYNC, '--token-request'];
const OWNERS = ['ReplicaSet rs-1', 'ReplicaSet rs-2'];

let cluster: TestCluster;
let one: ClusterNode;
let other: ClusterNode;
let third: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  one = await cluster.startNode('node-1', ARGS);
  other = await cluster.startNode('node-2', ARGS);
  third = await cluster.startNode('node-3', ARGS);
});

afterAll(() => cluster[Symbol.asyncDispose]());

describe.concurrent("sync beside the driver's own", () => {
  it("agrees with the driver's own sync on two nodes, through a rotation, and converges with it", async ({
    expect,
  }) => {
    await addClass(cluster, 'both', 'p1');
    const here = await one.startPod('both-1', { className: 'both', owner: ownedBy('rs-1') });
    const there = await other.startPod('both-2', { className: 'both', owner: ownedBy('rs-2') });
    const ends = new AbortController();
    const before = cluster.api.requests.length;

    const drivers = [here, there].map((pod) => playDriver(cluster, 'both', pod, ends.signal));
    await cluster.clock.sleep(2 * INTERVAL_MS);
    await cluster.seed.secretVersion('both', 'p2');
    await expect.poll(() => secretIn(cluster, 'both')?.data, SOON).toEqual({ password: 'p2' });
    await cluster.clock.sleep(4 * INTERVAL_MS);
    ends.abort();
    const puts = await Promise.all(drivers);

    expect(Math.min(...puts)).toBeGreaterThan(2);
    await expect
      .poll(() => secretIn(cluster, 'both'), SOON)
      .toMatchObject({ data: { password: 'p2' }, owners: OWNERS });
    await comesToRest(cluster, 'both');
    expect(secretIn(cluster, 'both')).toMatchObject({ data: { password: 'p2' }, owners: OWNERS });
    // The driver's patches of owners have no field manager.
    const ours = writesOf(cluster, 'both', before).filter((write) => write.includes('aws-secrets-csi'));
    const all = puts.reduce((sum, each) => sum + each, 0);
    expect(ours.length, `our writes for ${all} of the driver`).toBeLessThanOrEqual(3 * all);
  });

  it("takes over the driver's Secrets and their owners, without a write to their content", async ({ expect }) => {
    await addClass(cluster, 'before', 'p1');
    const pod = await third.startPod('before-1', { className: 'before', owner: ownedBy('rs-before') });
    const ends = new AbortController();
    let before = 0;

    await third.restart(async () => {
      const driver = playDriver(cluster, 'before', pod, ends.signal);
      await expect.poll(() => secretIn(cluster, 'before'), SOON).toMatchObject({ owners: [], confirmedAt: NaN });
      await expect.poll(() => secretIn(cluster, 'before')?.owners, SOON).toEqual(['ReplicaSet rs-before']);
      ends.abort();
      await driver;
      before = cluster.api.requests.length;
    });
    await expect
      .poll(() => writesOf(cluster, 'before', before), SOON)
      .toEqual(['PATCH aws-secrets-csi/uid-of-rs-before']);

    await comesToRest(cluster, 'before');
    expect(secretIn(cluster, 'before')).toMatchObject({ data: { password: 'p1' }, owners: ['ReplicaSet rs-before'] });
    await third.stopPod(pod);
    await expect.poll(() => secretIn(cluster, 'before'), SOON).toBeUndefined();
  });
});
