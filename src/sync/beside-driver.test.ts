import { describe, expect, it } from 'vitest';
import { replicaSet } from '../../test/fakes/kube/mounts.ts';
import { createCluster, SECRET, VERIFY_MS } from '../../test/fakes/kube/sync-cluster.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { SecretFields } from '../../test/fakes/kube/memory-secrets.ts';

/** What the driver's own sync would write. */
function drivers(value: string, changes: SecretFields = {}): SecretFields {
  return {
    type: 'Opaque',
    data: new Map([['password', SecretBytes.fromText(value)]]),
    labels: new Map([['secrets-store.csi.k8s.io/managed', 'true']]),
    ...changes,
  };
}

describe("beside the driver's own sync", () => {
  it("takes over the driver's Secret, and writes nothing if its content is equal", async () => {
    const { secrets, node, shown, calls, stored } = createCluster();
    secrets.replace(SECRET, 'driver', drivers('v1', { owners: [replicaSet('web')] }));

    await node().sync({ pod: 'a' });
    expect((await stored())?.appliers).toEqual(new Set(['aws-secrets-csi/web-uid']));

    calls();
    await node().sync({ pod: 'b' });
    expect(calls()).toEqual(['read db']);
    await node().sync({ pod: 'b', files: { db: 'v2' } });
    expect(await shown()).toMatchObject({ data: { password: 'v2' }, owners: ['web'] });
  });

  it('restores the owner that the driver removes, and only that', async () => {
    const { secrets, node, pass, stored, calls } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    secrets.replace(SECRET, 'driver', drivers('v1'));
    expect((await stored())?.owners).toEqual([]);
    calls();

    pass(VERIFY_MS + 1);
    await here.sync({ pod: 'a' });

    expect(calls()).toEqual(['read db', 'apply db']);
    expect(await stored()).toMatchObject({ owners: [replicaSet('web')] });
    expect((await stored())?.annotations.size).toBe(0);
  });

  it('writes newer values over those of a volume that lags behind', async () => {
    const { secrets, node, pass, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a', files: { db: 'v2' } });
    secrets.replace(SECRET, 'driver', drivers('v1'));

    pass(VERIFY_MS + 1);
    await here.sync({ pod: 'a', files: { db: 'v2' } });

    expect(await shown()).toMatchObject({ data: { password: 'v2' }, owners: ['web'] });
  });

  it('keeps the owner that the driver has added', async () => {
    const { secrets, node, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    await here.sync({ pod: 'b', owner: 'job' });
    secrets.replace(SECRET, 'driver', drivers('v1'));
    secrets.patch(SECRET, 'driver', { owners: ['web', 'job'].map(replicaSet) });

    await here.drop('a');

    expect(await shown()).toMatchObject({ owners: ['job', 'web'] });
  });
});
