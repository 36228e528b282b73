import { describe, expect, it } from 'vitest';
import { DB } from '../../test/fakes/kube/mounts.ts';
import { createCluster, SECRET } from '../../test/fakes/kube/sync-cluster.ts';
import { SecretBytes } from '../model/secret-bytes.ts';

const IMMUTABLE = { 'aws-secrets-csi/sync-immutable': 'true' };

describe('a class that changes', () => {
  it('removes fields that it no longer names, and keeps what others have added', async () => {
    const { secrets, node, stored } = createCluster();
    const here = node();
    const data = [...DB[0]!.data, { objectName: 'db', key: 'old' }];
    await here.sync({
      pod: 'a',
      secretObjects: [{ ...DB[0], data, labels: { app: 'x' }, annotations: { note: 'x' } }],
    });
    secrets.patch(SECRET, 'kubectl', {
      labels: new Map([['mine', 'y']]),
      data: new Map([['mine', SecretBytes.fromText('y')]]),
    });

    await here.sync({ pod: 'a' });

    const found = await stored();
    expect([...(found?.data.keys() ?? [])].toSorted()).toEqual(['mine', 'password']);
    expect([...(found?.labels.keys() ?? [])].toSorted()).toEqual(['mine', 'secrets-store.csi.k8s.io/managed']);
    expect(found?.annotations.has('note')).toBe(false);
  });

  it('releases a Secret that it no longer names', async () => {
    const { node, shown } = createCluster();
    const [here, there] = [node(), node()];
    const two = [...DB, { ...DB[0], secretName: 'old' }];
    await here.sync({ pod: 'a', secretObjects: two });
    await there.sync({ pod: 'b', owner: 'job', secretObjects: two });

    await here.sync({ pod: 'a' });
    expect(await shown('old')).toMatchObject({ owners: ['job'] });

    await there.sync({ pod: 'b', owner: 'job', secretObjects: [] });
    expect(await shown('old')).toBeUndefined();
    expect(await shown('db')).toMatchObject({ owners: ['web'] });
  });

  it('keeps a Secret whose entry has become invalid', async () => {
    const { node, shown } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });

    await expect(here.sync({ pod: 'a', secretObjects: [{ ...DB[0], type: '' }] })).rejects.toThrow('type is empty');

    expect(await shown()).toMatchObject({ owners: ['web'] });
  });

  it.for([
    ['another type', { secretObjects: [{ ...DB[0], type: 'example.com/other' }] }],
    ['no longer immutable', { annotations: {} }],
    ['other values of an immutable one', { annotations: IMMUTABLE, files: { db: 'v2' } }],
    ['fewer keys of an immutable one', { annotations: IMMUTABLE, secretObjects: DB }],
  ] as const)('recreates a Secret, with the owners it had: %s', async ([, change]) => {
    const { node, stored, shown } = createCluster();
    const both = [{ ...DB[0], data: [...DB[0]!.data, { objectName: 'db', key: 'more' }] }];
    const before = { annotations: IMMUTABLE, secretObjects: both };
    const [here, there] = [node(), node()];
    await here.sync({ pod: 'a', ...before });
    await there.sync({ pod: 'b', owner: 'job', ...before });
    const { uid } = (await stored())!;

    await here.sync({ pod: 'a', ...before, ...change, confirmedAt: 2_000 });

    expect((await stored())?.uid).not.toBe(uid);
    expect(await shown()).toMatchObject({ owners: ['job', 'web'] });
  });

  it('becomes immutable, and gets other labels then, without being recreated', async () => {
    const { node, stored } = createCluster();
    const here = node();
    await here.sync({ pod: 'a' });
    const { uid } = (await stored())!;

    await here.sync({ pod: 'a', annotations: IMMUTABLE });
    await here.sync({ pod: 'a', annotations: IMMUTABLE, secretObjects: [{ ...DB[0], labels: { app: 'x' } }] });

    expect(await stored()).toMatchObject({ uid, isImmutable: true });
    expect((await stored())?.labels.get('app')).toBe('x');
  });
});

it('reads a Secret again for a mount that is newer than the last check, because it may have changed since', async () => {
  const { node, pass, secrets, shown, calls } = createCluster();
  const here = node();
  await here.sync({ pod: 'a' });
  secrets.destroy(SECRET);
  calls();

  pass(1);
  await here.sync({ pod: 'a' });
  expect(calls()).toEqual([]);
  await here.sync({ pod: 'b', since: 10_001 });

  expect(await shown()).toMatchObject({ data: { password: 'v1' } });
});
