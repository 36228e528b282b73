import { afterAll, beforeAll, describe, it } from 'vitest';
import { contentsOf } from '../daemon/node.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../rotation/cluster.ts';
import { PODS } from '../rotation/objects.ts';
import {
  addClass,
  objectOf,
  ownedBy,
  secretIn,
  secretObject,
  SECRETS,
  SOON,
  SYNC,
  writesOf,
  writesWithin,
} from './synced.ts';

/** After a restart the provider has no tokens of the driver. */
const ARGS = [...SYNC, '--token-request'];

let cluster: TestCluster;
let one: ClusterNode;
let other: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  one = await cluster.startNode('node-1', ARGS);
  other = await cluster.startNode('node-2', ARGS);
});

afterAll(() => cluster[Symbol.asyncDispose]());

function ownersOf(name: string): readonly string[] | undefined {
  return secretIn(cluster, name)?.owners;
}

describe.concurrent('the owners of a Secret', () => {
  it('are added and removed with the pods of two ReplicaSets and a bare pod; the last deletes the Secret', async ({
    expect,
  }) => {
    const [blue, green] = [ownedBy('blue'), ownedBy('green')];
    await addClass(cluster, 'shared', 'p1');
    const blueHere = await one.startPod('blue-1', { className: 'shared', owner: blue });
    const blueThere = await other.startPod('blue-2', { className: 'shared', owner: blue });
    const greenHere = await one.startPod('green-1', { className: 'shared', owner: green });
    const bare = await other.startPod('bare', { className: 'shared' });
    const { uid } = secretIn(cluster, 'shared')!;

    expect(ownersOf('shared')).toEqual(['Pod bare', 'ReplicaSet blue', 'ReplicaSet green']);
    await one.stopPod(greenHere);
    await expect.poll(() => ownersOf('shared'), SOON).toEqual(['Pod bare', 'ReplicaSet blue']);
    await other.stopPod(bare);
    await expect.poll(() => ownersOf('shared'), SOON).toEqual(['ReplicaSet blue']);
    // A pod on the other node keeps it.
    await one.stopPod(blueHere);
    expect(await writesWithin(3, cluster, 'shared')).toEqual([]);
    expect(secretIn(cluster, 'shared')).toMatchObject({ uid, data: { password: 'p1' }, owners: ['ReplicaSet blue'] });
    await other.stopPod(blueThere);
    await expect.poll(() => ownersOf('shared'), SOON).toBeUndefined();
    await one.startPod('blue-3', { className: 'shared', owner: blue });
    expect(secretIn(cluster, 'shared')).toMatchObject({ data: { password: 'p1' }, owners: ['ReplicaSet blue'] });
  });

  it('leave no Secret if all pods are deleted at once, on all nodes', async ({ expect }) => {
    const owner = ownedBy('fleeting-rs');
    await addClass(cluster, 'fleeting', 'p1');
    const pods = await Promise.all(
      [one, other, one, other].map(async (node, index) => {
        const pod = await node.startPod(`fleeting-${index}`, { className: 'fleeting', owner });
        return { node, pod };
      }),
    );

    await Promise.all(pods.map(({ node, pod }) => node.stopPod(pod)));

    await expect.poll(() => ownersOf('fleeting'), SOON).toBeUndefined();
    // The other node may have read the Secret before it was deleted, and delete it too.
    expect((await writesWithin(2, cluster, 'fleeting')).filter((write) => write !== 'DELETE')).toEqual([]);
    expect(ownersOf('fleeting')).toBeUndefined();
  });

  it('are replaced by those of new pods, as in a rollout of a Deployment', async ({ expect }) => {
    await addClass(cluster, 'rolled', 'p1');
    const before = await one.startPod('rolled-old', { className: 'rolled', owner: ownedBy('rolled-1') });
    const { uid } = secretIn(cluster, 'rolled')!;

    await other.startPod('rolled-new', { className: 'rolled', owner: ownedBy('rolled-2') });
    await one.stopPod(before);

    await expect.poll(() => ownersOf('rolled'), SOON).toEqual(['ReplicaSet rolled-2']);
    expect(secretIn(cluster, 'rolled')).toMatchObject({ uid, data: { password: 'p1' } });
  });

  it.for([
    ['the same node', 'near', () => one],
    ['another node', 'far', () => other],
  ] as const)('stay for pods of another class with the same Secret, on %s', async ([, name, elsewhere], { expect }) => {
    const owner = ownedBy(`${name}-rs`);
    await addClass(cluster, name, 'p1');
    const secretObjects = [secretObject(name, { password: name })];
    await cluster.applyClass(`${name}-too`, { objects: [objectOf(name)], secretObjects });
    const pod = await one.startPod(`${name}-1`, { className: name, owner });
    await elsewhere().startPod(`${name}-2`, { className: `${name}-too`, volume: 'too', owner });

    await one.stopPod(pod);

    expect(await writesWithin(3, cluster, name)).toEqual([]);
    expect(ownersOf(name)).toEqual([`ReplicaSet ${name}-rs`]);
  });

  it('are removed with a terminating pod, although it gets new values for as long as it runs', async ({ expect }) => {
    await addClass(cluster, 'terminating', 'p1');
    const pod = await one.startPod('terminating-1', { className: 'terminating', owner: ownedBy('terminating-rs') });

    await cluster.kube.patch(`${PODS}/terminating-1`, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    await expect.poll(() => ownersOf('terminating'), SOON).toBeUndefined();
    await cluster.seed.secretVersion('terminating', 'p2');
    await expect.poll(() => one.said('mount rotated').filter((line) => line['pod'] === pod.name), SOON).toHaveLength(1);

    expect(await contentsOf(pod.targetPath)).toEqual({ terminating: ['644', 'p2'] });
    expect(ownersOf('terminating')).toBeUndefined();
  });

  it('are removed from a Secret that the class no longer names, which is deleted with them', async ({ expect }) => {
    const entries = [secretObject('kept', { password: 'edited' }), secretObject('dropped', { password: 'edited' })];
    await addClass(cluster, 'edited', 'p1', { secretObjects: entries });
    await one.startPod('edited-1', { className: 'edited', owner: ownedBy('edited-rs') });
    await other.startPod('edited-2', { className: 'edited' });
    const before = ownersOf('dropped');

    await cluster.applyClass('edited', { objects: [objectOf('edited')], secretObjects: entries.slice(0, 1) });

    expect(before).toEqual(['Pod edited-2', 'ReplicaSet edited-rs']);
    await expect.poll(() => ownersOf('dropped'), SOON).toBeUndefined();
    expect(ownersOf('kept')).toEqual(before);
    await cluster.applyClass('edited', { objects: [objectOf('edited')], secretObjects: entries });
    await expect.poll(() => ownersOf('dropped'), SOON).toEqual(before);
  });

  it('are removed from all Secrets of a class that no longer has any', async ({ expect }) => {
    await addClass(cluster, 'emptied', 'p1');
    await one.startPod('emptied-1', { className: 'emptied', owner: ownedBy('emptied-rs') });

    await cluster.applyClass('emptied', { objects: [objectOf('emptied')] });

    await expect.poll(() => ownersOf('emptied'), SOON).toBeUndefined();
  });

  it('stay if the class is deleted while its pods run', async ({ expect }) => {
    await addClass(cluster, 'classless', 'p1');
    await one.startPod('classless-1', { className: 'classless' });

    await cluster.removeClass('classless');
    await expect.poll(() => cluster.eventsOf('classless-1'), SOON).toMatchObject([{ reason: 'ClassMissing' }]);

    expect(await writesWithin(2, cluster, 'classless')).toEqual([]);
    expect(ownersOf('classless')).toEqual(['Pod classless-1']);
  });

  it('stay while the API server does not respond, and are removed later', async ({ expect }) => {
    await addClass(cluster, 'unreachable', 'p1');
    await other.startPod('unreachable-1', { className: 'unreachable', owner: ownedBy('staying') });
    const pod = await one.startPod('unreachable-2', { className: 'unreachable', owner: ownedBy('leaving') });
    const broken = cluster.api.inject(
      { kind: 'status', status: 503, message: 'etcd leader changed' },
      (method, path) => method === 'PATCH' && path === `${SECRETS}/unreachable`,
    );

    await one.stopPod(pod);
    await expect
      .poll(() => writesOf(cluster, 'unreachable').filter((write) => write.endsWith('/uid-of-leaving')).length, SOON)
      .toBeGreaterThan(2);
    expect(ownersOf('unreachable')).toEqual(['ReplicaSet leaving', 'ReplicaSet staying']);
    broken[Symbol.dispose]();

    await expect.poll(() => ownersOf('unreachable'), SOON).toEqual(['ReplicaSet staying']);
  });
});

describe('after a restart of the provider', () => {
  it('owners and Secrets are maintained as before, without a Mount call', async ({ expect }) => {
    await addClass(cluster, 'restarted', 'p1');
    const first = await one.startPod('restarted-1', { className: 'restarted', owner: ownedBy('first') });
    const second = await one.startPod('restarted-2', { className: 'restarted', owner: ownedBy('second') });
    const { uid } = secretIn(cluster, 'restarted')!;

    await one.restart(() => cluster.seed.secretVersion('restarted', 'p2'));
    await expect.poll(() => secretIn(cluster, 'restarted')?.data, SOON).toEqual({ password: 'p2' });
    expect(secretIn(cluster, 'restarted')).toMatchObject({ uid, owners: ['ReplicaSet first', 'ReplicaSet second'] });
    await one.stopPod(first);

    await expect.poll(() => ownersOf('restarted'), SOON).toEqual(['ReplicaSet second']);
    await one.stopPod(second);
    await expect.poll(() => ownersOf('restarted'), SOON).toBeUndefined();
    await one.startPod('restarted-3', { className: 'restarted', owner: ownedBy('second') });
    expect(secretIn(cluster, 'restarted')).toMatchObject({ data: { password: 'p2' }, owners: ['ReplicaSet second'] });
  });

  it('a Secret that was deleted meanwhile is created again', async ({ expect }) => {
    await addClass(cluster, 'lost', 'p1');
    await one.startPod('lost-1', { className: 'lost', owner: ownedBy('lost-rs') });

    await one.restart(async () => cluster.api.remove(`${SECRETS}/lost`));

    await expect
      .poll(() => secretIn(cluster, 'lost'), SOON)
      .toMatchObject({ data: { password: 'p1' }, owners: ['ReplicaSet lost-rs'] });
  });
});
