import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { createMemorySecrets } from '../../test/fakes/kube/memory-secrets.ts';
import { DB, mountOf, replicaSet } from '../../test/fakes/kube/mounts.ts';
import {
  type Cluster,
  createCluster,
  SECRET,
  SIGNAL,
  VERIFY_MS,
  NO_OTHER_PODS,
} from '../../test/fakes/kube/sync-cluster.ts';
import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { createSecretSync } from './secret-sync.ts';

describe('sync', () => {
  it("creates the class's Secret, owned by the pods' owner", async () => {
    const { node, stored, shown } = createCluster();

    await node().sync({ pod: 'a', confirmedAt: 1_000 });

    expect(await shown()).toEqual({ type: 'Opaque', data: { password: 'v1' }, owners: ['web'], confirmedAt: 1_000 });
    expect((await stored())?.owners).toEqual([replicaSet('web')]);
    expect((await stored())?.appliers).toEqual(new Set(['aws-secrets-csi', 'aws-secrets-csi/web-uid']));
    expect((await stored())?.labels.get('secrets-store.csi.k8s.io/managed')).toBe('true');
    expect((await stored())?.annotations.get('aws-secrets-csi/as-of')).toBe('1970-01-01T00:00:01.000Z');
  });

  it('makes no call if the class has no Secret', async () => {
    const { node, calls } = createCluster();
    const reading = {
      ...mountOf({ pod: 'a', secretObjects: null }),
      files: () => Promise.reject(new Error('read')),
    };
    const sync = createSecretSync({
      clock: SYSTEM_CLOCK,
      secrets: createMemorySecrets(),
      ...NO_OTHER_PODS,
      verifyMs: VERIFY_MS,
    });

    await sync.update(reading, SIGNAL);
    await node().sync({ pod: 'a', secretObjects: [] });

    expect(calls()).toEqual([]);
  });

  it('reports whether a Secret has values that AWS confirmed to another node later', async () => {
    const { node } = createCluster();
    const [here, late] = [node(), node()];
    await here.sync({ pod: 'a', files: { db: 'v2' }, confirmedAt: 2_000 });

    const outcomes = [
      await late.sync({ pod: 'b', confirmedAt: 1_000 }),
      await late.sync({ pod: 'b', confirmedAt: 1_000 }),
      await late.sync({ pod: 'b', files: { db: 'v2' }, confirmedAt: 3_000 }),
    ];

    expect(outcomes).toEqual([{ newerConfirmedAt: 2_000 }, { newerConfirmedAt: 2_000 }, {}]);
  });

  it('reads a Secret once per interval, for all mounts of the node, and writes none that is correct', async () => {
    const { node, pass, calls } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    calls();

    for (const pod of ['a', 'b', 'c']) {
      await here.sync({ pod, confirmedAt: 2_000 });
    }
    expect(calls()).toEqual([]);

    pass(VERIFY_MS + 1);
    await Promise.all(['a', 'b', 'c'].map((pod) => here.sync({ pod, confirmedAt: 3_000 })));
    expect(calls()).toEqual(['read db']);
  });

  it("reads a Secret once, and continues from the API server's response to each write", async () => {
    const { node, calls } = createCluster();
    const [here, there] = [node(), node()];

    await here.sync({ pod: 'a' });
    expect(calls()).toEqual(['read db', 'create db', 'claim db', 'apply db']);
    await there.sync({ pod: 'b', owner: 'job', files: { db: 'v2' }, confirmedAt: 2_000 });
    expect(calls()).toEqual(['read db', 'apply db', 'apply db']);
  });

  it('writes a Secret once per sync, although a policy of the cluster changes it', async () => {
    const { secrets, node, calls } = createCluster();
    await node().sync({ pod: 'a' });
    calls();
    const altered = { data: new Map([['password', SecretBytes.fromText('altered')]]) };
    const sync = createSecretSync({
      clock: SYSTEM_CLOCK,
      secrets: {
        ...secrets,
        async apply(...given) {
          const written = await secrets.apply(...given);
          secrets.patch(SECRET, 'policy', altered);
          return written === 'changed' ? written : ((await secrets.read(SECRET, SIGNAL)) ?? 'changed');
        },
      },
      ...NO_OTHER_PODS,
      verifyMs: VERIFY_MS,
    });

    await sync.update(mountOf({ pod: 'b', owner: 'job', files: { db: 'v2' }, confirmedAt: 2_000 }), SIGNAL);

    expect(calls().filter((call) => call.startsWith('apply'))).toHaveLength(2);
  });

  it('writes what has changed, once for all nodes', async () => {
    const { node, shown, calls } = createCluster();
    const nodes = [node(), node(), node()];
    await Promise.all(nodes.map((each, index) => each.sync({ pod: `p${index}` })));
    calls();

    await Promise.all(
      nodes.map((each, index) => each.sync({ pod: `p${index}`, files: { db: 'v2' }, confirmedAt: 2_000 + index })),
    );

    expect(await shown()).toMatchObject({ data: { password: 'v2' }, owners: ['web'] });
    const writes = calls().filter((call) => call.startsWith('apply'));
    expect(writes.length).toBeLessThanOrEqual(nodes.length);
    await Promise.all(
      nodes.map((each, index) => each.sync({ pod: `q${index}`, files: { db: 'v2' }, confirmedAt: 2_000 + index })),
    );
    expect(calls().filter((call) => call.startsWith('apply'))).toEqual([]);
  });

  it('adds each owner whose pods share a Secret', async () => {
    const { node, shown } = createCluster();
    const [here, there] = [node(), node()];

    await here.sync({ pod: 'a', owner: 'web' });
    await here.sync({ pod: 'b', owner: 'job' });
    await there.sync({ pod: 'c', owner: 'batch' });
    await there.sync({ pod: 'c', owner: 'batch', files: { db: 'v2' }, confirmedAt: 2_000 });

    expect(await shown()).toMatchObject({ owners: ['batch', 'job', 'web'], data: { password: 'v2' } });
  });

  it('keeps newer values, until it has newer ones itself', async () => {
    const { node, shown, calls } = createCluster();
    const [here, there] = [node(), node()];
    await here.sync({ pod: 'a', files: { db: 'v2' }, confirmedAt: 2_000 });

    await there.sync({ pod: 'b', owner: 'job', files: { db: 'v1' }, confirmedAt: 1_999 });
    expect(await shown()).toMatchObject({ data: { password: 'v2' }, owners: ['job', 'web'] });

    calls();
    await there.sync({ pod: 'b', owner: 'job', files: { db: 'v1' }, confirmedAt: 1_999 });
    expect(calls()).toEqual([]);
    await there.sync({ pod: 'b', owner: 'job', files: { db: 'v1' }, confirmedAt: 2_001 });
    expect(await shown()).toMatchObject({ data: { password: 'v1' }, confirmedAt: 2_001 });
  });

  it('keeps values that become newer while it decides', async () => {
    const { secrets, node, shown } = createCluster();
    const there = node();
    await there.sync({ pod: 'a' });
    let isSlow = true;
    const sync = createSecretSync({
      clock: SYSTEM_CLOCK,
      secrets: {
        ...secrets,
        async read(...given) {
          const found = await secrets.read(...given);
          if (isSlow) {
            isSlow = false;
            await there.sync({ pod: 'a', files: { db: 'v3' }, confirmedAt: 3_000 });
          }
          return found;
        },
      },
      ...NO_OTHER_PODS,
      verifyMs: VERIFY_MS,
    });

    await sync.update(mountOf({ pod: 'b', files: { db: 'v2' }, confirmedAt: 2_000 }), SIGNAL);

    expect(await shown()).toMatchObject({ data: { password: 'v3' } });
  });

  it('does not trust a time in the future', async () => {
    const { node, shown, pass } = createCluster();
    await node().sync({ pod: 'a', confirmedAt: 100_000 });

    await node().sync({ pod: 'b', files: { db: 'v2' }, confirmedAt: 9_000 });
    expect(await shown()).toMatchObject({ data: { password: 'v2' } });

    await node().sync({ pod: 'a', confirmedAt: 60_000 });
    pass(1_000);
    await node().sync({ pod: 'b', files: { db: 'v2' }, confirmedAt: 9_000 });
    expect(await shown()).toMatchObject({ data: { password: 'v1' } });
  });

  it.for([
    [
      'applied by "helm"',
      async ({ secrets }: Cluster) => {
        await secrets.apply({ ...SECRET, data: new Map([['mine', SecretBytes.fromText('x')]]) }, 'helm', SIGNAL);
      },
    ],
    [
      'owned by ReplicaSet "other"',
      async ({ secrets }: Cluster) => {
        secrets.replace(SECRET, 'operator', { owners: [replicaSet('other')] });
      },
    ],
    [
      'created by hand',
      async ({ secrets }: Cluster) => {
        secrets.replace(SECRET, 'kubectl', {});
      },
    ],
    [
      'created by hand',
      async ({ secrets }: Cluster) => {
        secrets.replace(SECRET, 'kubectl', { labels: new Map([['secrets-store.csi.k8s.io/managed', 'false']]) });
      },
    ],
  ] as const)('leaves a Secret that it does not manage unchanged: %s', async ([whose, make]) => {
    const here = createCluster();
    await make(here);
    const before = await here.stored();

    const failed = here.node().sync({ pod: 'a' });

    await expect(failed).rejects.toMatchObject({ reason: 'SecretRefused', message: expect.stringContaining(whose) });
    await expect(failed).rejects.toThrow(/"db" in namespace shop .* choose another secretName/);
    expect(await here.stored()).toEqual(before);
  });

  it('reports all failures, and completes the rest', async () => {
    const { secrets, node, shown } = createCluster();
    secrets.replace(SECRET, 'kubectl', {});
    const two = [
      ...DB,
      { ...DB[0], secretName: 'fine' },
      { secretName: 'Bad' },
      { ...DB[0], secretName: 'x', data: [{ objectName: 'no', key: 'k' }] },
    ];

    const failed = node().sync({ pod: 'a', secretObjects: two });

    await expect(failed).rejects.toThrow(/"Bad"[^]*"db"[^]*"x": the key "k"/);
    expect(await shown('fine')).toMatchObject({ data: { password: 'v1' } });
    expect(await shown('x')).toBeUndefined();
  });

  it('fails once if the files cannot be read', async () => {
    const { secrets } = createCluster();
    const error = new ProviderError('VolumeUnwritable', 'gone');
    const sync = createSecretSync({ clock: SYSTEM_CLOCK, secrets, ...NO_OTHER_PODS, verifyMs: VERIFY_MS });
    const mount = mountOf({ pod: 'a', secretObjects: [...DB, { ...DB[0], secretName: 'two' }] });

    await expect(sync.update({ ...mount, files: () => Promise.reject(error) }, SIGNAL)).rejects.toBe(error);
  });

  it("ends with the signal's reason", async () => {
    const { secrets } = createCluster();
    const sync = createSecretSync({ clock: SYSTEM_CLOCK, secrets, ...NO_OTHER_PODS, verifyMs: VERIFY_MS });
    const reason = new Error('over');

    await expect(sync.update(mountOf({ pod: 'a' }), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('creates a deleted Secret again', async () => {
    const { secrets, node, pass, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    secrets.destroy(SECRET);

    pass(VERIFY_MS + 1);
    await here.sync({ pod: 'a' });

    expect(await shown()).toMatchObject({ owners: ['web'] });
  });

  it('recreates a Secret that is deleted while its owner is being added', async () => {
    const { secrets, node, shown } = createCluster();
    await node().sync({ pod: 'a' });
    let isThere = true;
    const sync = createSecretSync({
      clock: SYSTEM_CLOCK,
      secrets: {
        ...secrets,
        async read(...given) {
          const found = await secrets.read(...given);
          if (isThere) {
            secrets.destroy(SECRET);
          }
          isThere = false;
          return found;
        },
      },
      ...NO_OTHER_PODS,
      verifyMs: VERIFY_MS,
    });

    await sync.update(mountOf({ pod: 'b', owner: 'job' }), SIGNAL);

    expect(await shown()).toMatchObject({ data: { password: 'v1' }, owners: ['job'] });
  });

  it('reports that the deletion of a Secret is blocked', async () => {
    const { secrets, node } = createCluster();
    await node().sync({ pod: 'a' });
    secrets.markGoing(SECRET);

    await expect(node().sync({ pod: 'a' })).rejects.toMatchObject({
      reason: 'KubernetesUnavailable',
      message: expect.stringContaining('is being deleted, and is created again after that'),
    });
  });

  it('fails, for now, for a Secret that changes faster than it can be read', async () => {
    const { secrets, node } = createCluster();
    await node().sync({ pod: 'a' });
    const contentionError = { ...secrets, apply: async () => 'changed' as const };
    const sync = createSecretSync({
      clock: SYSTEM_CLOCK,
      secrets: contentionError,
      ...NO_OTHER_PODS,
      verifyMs: VERIFY_MS,
    });

    await expect(sync.update(mountOf({ pod: 'a', files: { db: 'v2' } }), SIGNAL)).rejects.toMatchObject({
      reason: 'KubernetesUnavailable',
    });
  });
});
