import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { DB, mountOf, podOf, replicaSet } from '../../test/fakes/kube/mounts.ts';
import { createCluster, NO_OTHER_PODS, SECRET, SIGNAL, VERIFY_MS } from '../../test/fakes/kube/sync-cluster.ts';
import { ProviderError } from '../model/errors.ts';
import { createSecretSync } from './secret-sync.ts';

describe('drop', () => {
  it('deletes the Secret with the last owner', async () => {
    const { node, secrets } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });

    await here.drop('a');

    expect(secrets.names).toEqual([]);
  });

  it('keeps the owners whose pods still exist', async () => {
    const { node, shown, calls, pods } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    await here.sync({ pod: 'b' });
    await here.sync({ pod: 'c', owner: 'job' });
    calls();

    await here.drop('a');
    expect(calls()).toEqual([]);

    pods.push(podOf('elsewhere'));
    await here.drop('b');
    expect(calls()).toEqual([]);
    expect(await shown()).toMatchObject({ owners: ['job', 'web'] });
  });

  it.for([
    ['itself', podOf('a')],
    ['at its end', podOf('b', 'web', { hasEnded: true })],
    ['being deleted', podOf('b', 'web', { isTerminating: true })],
    ['without a volume of ours', podOf('b', 'web', { volumes: new Map() })],
  ] as const)('ignores a pod that is %s', async ([, pod]) => {
    const { node, pods, secrets } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    pods.push(pod);

    await here.drop('a');

    expect(secrets.names).toEqual([]);
  });

  it("removes the owner that was applied with the Secret, also from the content's fields", async () => {
    const { node, shown, stored } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    await here.sync({ pod: 'b', owner: 'job' });

    await here.drop('a');

    expect(await shown()).toMatchObject({ owners: ['job'], data: { password: 'v1' }, confirmedAt: 1_000 });
    expect((await stored())?.appliers).toEqual(new Set(['aws-secrets-csi', 'aws-secrets-csi/job-uid']));
  });

  it('keeps the owners of others in a Secret that was recreated', async () => {
    const { node, shown } = createCluster();
    const [here, there] = [node(), node()];
    const annotations = { 'aws-secrets-csi/sync-immutable': 'true' };
    await here.sync({ pod: 'a', annotations });
    await there.sync({ pod: 'b', owner: 'job', annotations });
    await here.sync({ pod: 'a', annotations, files: { db: 'v2' } });

    await here.drop('a');

    expect(await shown()).toMatchObject({ owners: ['job'], data: { password: 'v2' } });
  });

  it('is complete if the owner, the Secret, or our part of it no longer exists', async () => {
    const { node, secrets, shown } = createCluster();
    const here = node();
    for (const pod of ['a', 'b', 'c']) {
      await here.sync({ pod, owner: pod });
    }

    secrets.collect((uid) => uid !== 'a-uid');
    await here.drop('a');
    expect(await shown()).toMatchObject({ owners: ['b', 'c'] });

    secrets.destroy(SECRET);
    await here.drop('b');
    secrets.replace(SECRET, 'kubectl', { owners: [replicaSet('c')] });
    await here.drop('c');
    expect(await shown()).toMatchObject({ owners: ['c'] });
  });

  it('deletes the Secret if two nodes remove the last two owners at the same time', async () => {
    const { node, secrets } = createCluster();
    const [here, there] = [node(), node()];
    await here.sync({ pod: 'a' });
    await there.sync({ pod: 'b', owner: 'job' });
    await here.sync({ pod: 'a', files: { db: 'v2' } });

    await Promise.all([here.drop('a'), there.drop('b')]);

    expect(secrets.names).toEqual([]);
  });

  it('keeps no record of what it has deleted', async () => {
    const { node, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    await here.drop('a');

    await here.sync({ pod: 'b' });

    expect(await shown()).toMatchObject({ owners: ['web'] });
  });

  it.for([
    ['keeps', 'asks for the Secret too', DB, ['web']],
    ['drops', 'asks for another Secret', [{ ...DB[0], secretName: 'new' }], undefined],
    ['keeps', 'says something that cannot be read', ['Db'], ['web']],
    ['keeps', 'is gone', undefined, ['web']],
  ] as const)('%s the owner that has a pod elsewhere whose other class %s', async ([, , secretObjects, owners]) => {
    const { node, pods, classes, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    pods.push(podOf('b', 'web', { volumes: new Map([['secrets', new Map([['secretProviderClass', 'next']])]]) }));
    if (secretObjects !== undefined) {
      classes.set('next', { ...mountOf({ pod: 'b' }).class, name: 'next', secretObjects });
    }

    await here.drop('a');

    expect((await shown())?.owners).toEqual(owners);
  });

  it('ignores mounts that it has not synced', async () => {
    const { node, calls } = createCluster();

    await node().drop('a');

    expect(calls()).toEqual([]);
  });

  it('can be retried', async () => {
    const { secrets, pods } = createCluster();
    let fails = true;
    const sync = createSecretSync({
      clock: SYSTEM_CLOCK,
      ...NO_OTHER_PODS,
      secrets,
      podsOf: () =>
        fails ? Promise.reject(new ProviderError('KubernetesUnavailable', 'down')) : Promise.resolve(pods),
      verifyMs: VERIFY_MS,
    });
    const mount = mountOf({ pod: 'a' });
    await sync.update(mount, SIGNAL);

    await expect(sync.drop(mount.targetPath, SIGNAL)).rejects.toThrow('down');
    fails = false;
    await sync.drop(mount.targetPath, SIGNAL);

    expect(secrets.names).toEqual([]);
  });

  it('does nothing if a new pod of the owner has been synced meanwhile', async () => {
    const { node, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });

    await Promise.all([here.drop('a'), here.sync({ pod: 'b' })]);

    expect(await shown()).toMatchObject({ owners: ['web'] });
  });
});
