import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../fakes/kube/kube-object.ts';
import { failureOf, NEVER, ownerRef, startKube } from './kube-fixture.ts';
import { getObject } from '../../../src/kube/get.ts';

function owner(uid: string): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { namespace: 'shop', name: `${uid}-name`, uid } };
}

function secret(name: string, ...owners: readonly string[]): KubeObject {
  const ownerReferences = owners.map((uid) => ownerRef(uid));
  return { kind: 'Secret', metadata: { namespace: 'shop', name, uid: `uid-of-${name}`, ownerReferences } };
}

describe("the stand-in's garbage collection", () => {
  it('deletes what has no owner left, with what that owned, and removes deleted owners', async () => {
    const ofOne = { ...secret('of-one', 'uid-of-one'), kind: 'Pod' };
    await using fixture = await startKube({
      collectsGarbage: true,
      objects: [owner('a'), owner('b'), secret('one', 'a'), secret('both', 'a', 'b'), secret('none'), ofOne],
    });

    await fixture.kube.ask({ verb: 'delete', resource: 'replicasets', namespace: 'shop', name: 'a-name' }, NEVER);

    const left = fixture.api.objects.map(({ metadata }) => [
      metadata.name,
      metadata.ownerReferences?.map(({ uid }) => uid),
    ]);
    expect(left).toEqual([
      ['b-name', undefined],
      ['both', ['b']],
      ['none', undefined],
    ]);
  });

  it('is off by default', async () => {
    await using fixture = await startKube({ objects: [owner('a'), secret('one', 'a')] });

    fixture.api.remove('/apis/apps/v1/namespaces/shop/replicasets/a-name');

    expect(fixture.api.objects.map(({ metadata }) => metadata.name)).toEqual(['one']);
  });
});

describe('the stand-in', () => {
  it('breaks some requests only, for a while', async () => {
    await using fixture = await startKube({ objects: [secret('one')] });
    const read = { resource: 'secrets', namespace: 'shop', name: 'one' } as const;
    const fault = fixture.api.inject({ kind: 'reset' }, (method, path) => method === 'GET' && path.endsWith('/one'));

    const broken = await failureOf(getObject(fixture.kube, read, NEVER));
    const listed = await fixture.kube.ask({ verb: 'list', resource: 'secrets', namespace: 'shop' }, NEVER);
    fault[Symbol.dispose]();
    const whole = await getObject(fixture.kube, read, NEVER);

    expect(broken.message).toContain('API server');
    expect(listed.object).toMatchObject({ kind: 'SecretList', items: [{ metadata: { name: 'one' } }] });
    expect(whole.metadata?.name).toBe('one');
  });

  it.for([
    ['labelSelector', 'a!=b'],
    ['fieldSelector', 'spec.nodeName'],
  ])('refuses a %s that it does not know', async ([selector, value]) => {
    await using fixture = await startKube({ objects: [secret('one')] });

    const error = await failureOf(
      fixture.kube.ask({ verb: 'list', resource: 'pods', query: { [selector!]: value! } }, NEVER),
    );

    expect(error.message).toContain('400');
  });

  it('keeps the uid of what is replaced, and takes changed fields from their manager', async () => {
    await using fixture = await startKube({ objects: [secret('one')] });
    const path = '/api/v1/namespaces/shop/secrets/one';
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' }, data: { a: 'YQ==' } };
    const query = { fieldManager: 'm', force: 'true' };
    await fixture.kube.ask({ verb: 'apply', resource: 'secrets', namespace: 'shop', name: 'one', query, body }, NEVER);
    const before = fixture.api.find(path)!;

    const put = fixture.api.put({ ...before, data: { a: 'Yg==' } });

    expect(put.metadata.uid).toBe(before.metadata.uid);
    expect(before.metadata.managedFields).toMatchObject([{ manager: 'm', operation: 'Apply' }]);
    expect(put.metadata.managedFields).toMatchObject([{ manager: 'kubectl', operation: 'Update' }]);
  });
});
