import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ClusterNode, startCluster, type TestCluster } from '../rotation/cluster.ts';
import {
  addClass,
  comesToRest,
  INTERVAL_MS,
  ownedBy,
  secretIn,
  SECRETS,
  SOON,
  SYNC_ONLY,
  writesWithin,
} from './synced.ts';

let cluster: TestCluster;
let node: ClusterNode;
/** Restarted by its tests. */
let anew: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', SYNC_ONLY);
  anew = await cluster.startNode('node-2', SYNC_ONLY);
});

afterAll(() => cluster[Symbol.asyncDispose]());

/** Calls to AWS for a secret. */
function questionsFor(resource: string): number {
  return cluster.aws.gate.state.count({ resource });
}

describe.concurrent('sync without rotation', () => {
  it("updates Secrets with the driver's calls, and does not poll AWS itself", async ({ expect }) => {
    await addClass(cluster, 'called', 'p1');
    const pod = await node.startPod('called-1', { className: 'called', owner: ownedBy('called-rs') });
    const asked = questionsFor('called');

    await cluster.seed.secretVersion('called', 'p2');
    await cluster.clock.sleep(4 * INTERVAL_MS);
    const before = secretIn(cluster, 'called')?.data;
    const askedMeanwhile = questionsFor('called');
    await node.republish(pod);

    expect(before).toEqual({ password: 'p1' });
    expect(askedMeanwhile).toBe(asked);
    // A call that arrives during a poll of the mount does not wait for the next poll.
    await expect
      .poll(() => secretIn(cluster, 'called'), SOON)
      .toMatchObject({
        data: { password: 'p2' },
        owners: ['ReplicaSet called-rs'],
      });
    expect(questionsFor('called')).toBeLessThanOrEqual(asked + 2);
  });

  it('restores a Secret after a manual change', async ({ expect }) => {
    await addClass(cluster, 'edited', 'p1');
    await node.startPod('edited-1', { className: 'edited' });

    await cluster.kube.patch(`${SECRETS}/edited`, { data: { password: null, other: 'eA==' } });

    await expect.poll(() => secretIn(cluster, 'edited')?.data, SOON).toEqual({ password: 'p1', other: 'x' });
    await comesToRest(cluster, 'edited');
  });

  it('maintains owners', async ({ expect }) => {
    await addClass(cluster, 'owned', 'p1');
    const pods = [
      await node.startPod('owned-1', { className: 'owned', owner: ownedBy('owned-rs') }),
      await node.startPod('owned-2', { className: 'owned' }),
    ];

    await node.stopPod(pods[0]!);
    await expect.poll(() => secretIn(cluster, 'owned')?.owners, SOON).toEqual(['Pod owned-2']);
    await node.stopPod(pods[1]!);

    await expect.poll(() => secretIn(cluster, 'owned'), SOON).toBeUndefined();
  });
});

describe('sync without rotation, after a restart of the provider', () => {
  it('maintains Secrets and owners of pods without a Mount call, from the content of their volumes', async ({
    expect,
  }) => {
    await addClass(cluster, 'kept', 'p1');
    await addClass(cluster, 'lost', 'p1');
    const pod = await anew.startPod('kept-1', { className: 'kept', owner: ownedBy('kept-rs') });
    await anew.startPod('kept-2', { className: 'kept' });
    await anew.startPod('lost-1', { className: 'lost' });
    const before = secretIn(cluster, 'kept');
    const asked = questionsFor('kept');

    await anew.restart(async () => {
      cluster.api.remove(`${SECRETS}/lost`);
      await cluster.kube.patch(`${SECRETS}/kept`, { metadata: { ownerReferences: null } });
      await cluster.seed.secretVersion('kept', 'p2');
    });

    await expect
      .poll(() => secretIn(cluster, 'lost'), SOON)
      .toMatchObject({ data: { password: 'p1' }, owners: ['Pod lost-1'] });
    await expect.poll(() => secretIn(cluster, 'kept')?.owners, SOON).toEqual(before?.owners);
    await anew.stopPod(pod);
    await expect.poll(() => secretIn(cluster, 'kept')?.owners, SOON).toEqual(['Pod kept-2']);
    expect(secretIn(cluster, 'kept')).toMatchObject({ uid: before?.uid, data: { password: 'p1' } });
    expect(questionsFor('kept')).toBe(asked);
  });

  it('does not overwrite a newer value of a node that was called since', async ({ expect }) => {
    await addClass(cluster, 'older', 'p1');
    await anew.startPod('older-1', { className: 'older', owner: ownedBy('older-rs') });
    const pod = await node.startPod('older-2', { className: 'older', owner: ownedBy('older-rs') });
    await cluster.seed.secretVersion('older', 'p2');
    await cluster.clock.sleep(2 * INTERVAL_MS);
    await node.republish(pod);
    // A call that arrives during a poll does not wait for the Secret.
    await expect.poll(() => secretIn(cluster, 'older')?.data, SOON).toEqual({ password: 'p2' });

    await anew.restart();

    expect(await writesWithin(4, cluster, 'older')).toEqual([]);
    expect(secretIn(cluster, 'older')?.data).toEqual({ password: 'p2' });
  });
});
