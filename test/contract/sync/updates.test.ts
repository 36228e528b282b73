import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ClusterNode, startCluster, type TestCluster, versionsOf } from '../rotation/cluster.ts';
import {
  addClass,
  comesToRest,
  INTERVAL_MS,
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

let cluster: TestCluster;
let node: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', SYNC);
});

afterAll(() => cluster[Symbol.asyncDispose]());

/** A manual change of a Secret, as a merge patch. */
const EDITS = [
  ['a value', { data: { password: 'ZWRpdGVk' } }],
  ['all data', { data: null }],
  ['the labels', { metadata: { labels: { app: 'edited', 'secrets-store.csi.k8s.io/managed': null } } }],
  ['the annotations', { metadata: { annotations: null } }],
  ['the owner', { metadata: { ownerReferences: null } }],
] as const;

describe.concurrent('a Secret', () => {
  it('is updated after a rotation by one write, within the interval and the time of publishing', async ({ expect }) => {
    await addClass(cluster, 'rotated', 'p1');
    await node.startPod('rotated-1', { className: 'rotated', owner: ownedBy('rotated-rs') });
    const before = secretIn(cluster, 'rotated');
    const requests = cluster.api.requests.length;

    const rotatedAt = cluster.clock.wallNow();
    await cluster.seed.secretVersion('rotated', 'p2');

    await expect.poll(() => secretIn(cluster, 'rotated')?.data, SOON).toEqual({ password: 'p2' });
    const tookMs = cluster.clock.wallNow() - rotatedAt;
    const after = secretIn(cluster, 'rotated');
    expect(tookMs).toBeLessThan(INTERVAL_MS + 2_000);
    expect(after).toMatchObject({ uid: before?.uid, owners: before?.owners, labels: before?.labels });
    expect(after?.confirmedAt).toBeGreaterThanOrEqual(rotatedAt);
    expect(writesOf(cluster, 'rotated', requests)).toEqual(['PATCH aws-secrets-csi']);
  });

  it('is not written while nothing changes', async ({ expect }) => {
    await addClass(cluster, 'still', 'p1');
    await node.startPod('still-1', { className: 'still' });
    const before = secretIn(cluster, 'still');
    const requests = cluster.api.requests.length;

    expect(await writesWithin(4, cluster, 'still')).toEqual([]);

    expect(secretIn(cluster, 'still')).toEqual(before);
    // It was polled, though.
    expect(cluster.api.requests.slice(requests)).toContain(`GET ${SECRETS}/still`);
  });

  it('is not written if only files have changed that it does not contain', async ({ expect }) => {
    await cluster.seed.secret('other', 'o1');
    await addClass(cluster, 'partly', 'p1', { objects: [objectOf('partly'), objectOf('other')] });
    const pod = await node.startPod('partly-1', { className: 'partly' });
    const requests = cluster.api.requests.length;

    await cluster.seed.secretVersion('other', 'o2');
    await expect
      .poll(() => cluster.eventsOf(pod.name), SOON)
      .toMatchObject([{ reason: 'SecretsRotated', message: expect.stringContaining('other') }]);

    expect(writesOf(cluster, 'partly', requests)).toEqual([]);
  });

  it('is not written if a rotation brings the same value', async ({ expect }) => {
    await addClass(cluster, 'same', 'p1');
    const pod = await node.startPod('same-1', { className: 'same' });
    const requests = cluster.api.requests.length;

    const version = await cluster.seed.secretVersion('same', 'p1');
    await expect.poll(() => versionsOf(cluster.kube, pod), SOON).toEqual({ same: version });

    expect(writesOf(cluster, 'same', requests)).toEqual([]);
  });

  it.for(EDITS)('is restored within two polls after a manual change of %s', async ([what, edit], { expect }) => {
    const name = `edited-${what.split(' ').at(-1)}`;
    const more = { labels: { app: 'shop' }, annotations: { 'example.com/note': 'for the till' } };
    await addClass(cluster, name, 'p1', { secretObjects: [secretObject(name, { password: name }, more)] });
    await node.startPod(`${name}-1`, { className: name, owner: ownedBy('edited-rs') });
    const { resourceVersion, confirmedAt, ...right } = secretIn(cluster, name)!;

    const editedAt = cluster.clock.now();
    const edited = await cluster.kube.patch(`${SECRETS}/${name}`, edit);

    await expect.poll(() => secretIn(cluster, name), SOON).toMatchObject(right);
    expect(cluster.clock.now() - editedAt).toBeLessThan(2 * INTERVAL_MS + 2_000);
    expect(edited.metadata.resourceVersion).not.toBe(resourceVersion);
    await comesToRest(cluster, name);
    expect(secretIn(cluster, name)?.confirmedAt).toBeGreaterThanOrEqual(confirmedAt);
  });

  it('keeps what others have added', async ({ expect }) => {
    await addClass(cluster, 'added', 'p1');
    await node.startPod('added-1', { className: 'added' });
    const stored = cluster.api.find(`${SECRETS}/added`)!;
    const { metadata } = stored;
    cluster.api.put({
      ...stored,
      data: { ...(stored['data'] as object), extra: 'eA==' },
      metadata: {
        ...metadata,
        labels: { ...metadata.labels, team: 'till' },
        annotations: { ...metadata.annotations, seen: '' },
      },
    });

    await cluster.seed.secretVersion('added', 'p2');
    await expect.poll(() => secretIn(cluster, 'added')?.data, SOON).toEqual({ password: 'p2', extra: 'x' });

    expect(secretIn(cluster, 'added')).toMatchObject({ labels: { team: 'till' }, annotations: { seen: '' } });
  });

  it('is created again after someone deleted it', async ({ expect }) => {
    await addClass(cluster, 'deleted', 'p1');
    await node.startPod('deleted-1', { className: 'deleted', owner: ownedBy('deleted-rs') });
    const { uid } = secretIn(cluster, 'deleted')!;

    cluster.api.remove(`${SECRETS}/deleted`);

    await expect
      .poll(() => secretIn(cluster, 'deleted'), SOON)
      .toMatchObject({ data: { password: 'p1' }, owners: ['ReplicaSet deleted-rs'] });
    expect(secretIn(cluster, 'deleted')?.uid).not.toBe(uid);
  });

  it('loses what the class no longer sets', async ({ expect }) => {
    const more = { labels: { app: 'shop' }, annotations: { 'example.com/note': 'for the till' } };
    const secretObjects = [secretObject('shorter', { password: 'shorter', copy: 'shorter' }, more)];
    await addClass(cluster, 'shorter', 'p1', { secretObjects });
    await node.startPod('shorter-1', { className: 'shorter' });
    expect(secretIn(cluster, 'shorter')?.data).toEqual({ password: 'p1', copy: 'p1' });

    await cluster.applyClass('shorter', {
      objects: [objectOf('shorter')],
      secretObjects: [secretObject('shorter', { password: 'shorter' })],
    });

    await expect.poll(() => secretIn(cluster, 'shorter')?.data, SOON).toEqual({ password: 'p1' });
    expect(secretIn(cluster, 'shorter')).toMatchObject({
      labels: { 'secrets-store.csi.k8s.io/managed': 'true' },
      annotations: {},
    });
  });

  it('is kept unchanged while AWS does not respond, and updated once it does', async ({ expect }) => {
    await addClass(cluster, 'outage', 'p1');
    await node.startPod('outage-1', { className: 'outage' });
    const outage = cluster.aws.gate.state.inject(
      { kind: 'error', status: 503, code: 'InternalFailure', message: 'An internal error occurred' },
      { resource: 'outage' },
    );

    await cluster.seed.secretVersion('outage', 'p2');
    expect(await writesWithin(2, cluster, 'outage')).toEqual([]);
    expect(secretIn(cluster, 'outage')?.data).toEqual({ password: 'p1' });
    outage[Symbol.dispose]();

    await expect.poll(() => secretIn(cluster, 'outage')?.data, SOON).toEqual({ password: 'p2' });
  });
});
