import { describe, expect, it } from 'vitest';
import { createClassLookup } from '../../../src/kube/classes.ts';
import { failureOf, NEVER, startKube } from './kube-fixture.ts';

const API = '/apis/secrets-store.csi.x-k8s.io/v1/namespaces/shop/secretproviderclasses';

function providerClass(objects: string) {
  return {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClass',
    metadata: { namespace: 'shop', name: 'db', annotations: { note: 'x' } },
    spec: { provider: 'aws', parameters: { objects }, secretObjects: [{ secretName: 'db' }] },
  };
}

describe('a class', () => {
  it('is read once for concurrent callers', async () => {
    await using fixture = await startKube({ objects: [providerClass('one')] });
    const classOf = createClassLookup(fixture.kube);

    const [first, second] = await Promise.all([classOf('shop', 'db', NEVER), classOf('shop', 'db', NEVER)]);

    expect(first).toEqual({
      namespace: 'shop',
      name: 'db',
      provider: 'aws',
      parameters: new Map([['objects', 'one']]),
      annotations: new Map([['note', 'x']]),
      secretObjects: [{ secretName: 'db' }],
    });
    expect(second).toEqual(first);
    expect(fixture.api.requests).toEqual([`GET ${API}/db`]);
  });

  it('is read again a second later', async () => {
    await using fixture = await startKube({ objects: [providerClass('one')] });
    const classOf = createClassLookup(fixture.kube);
    await classOf('shop', 'db', NEVER);
    fixture.api.put(providerClass('two'));

    async function objects() {
      return (await classOf('shop', 'db', NEVER)).parameters.get('objects');
    }

    expect(await objects()).toBe('one');
    await expect.poll(objects, { timeout: 3_000 }).toBe('two');
  });

  it('that is empty has no parameters', async () => {
    const metadata = { namespace: 'shop', name: 'db' };
    const empty = { apiVersion: 'secrets-store.csi.x-k8s.io/v1', kind: 'SecretProviderClass', metadata };
    await using fixture = await startKube({ objects: [empty] });

    const found = await createClassLookup(fixture.kube)('shop', 'db', NEVER);

    expect(found).toMatchObject({ provider: '', parameters: new Map(), secretObjects: undefined });
  });

  it('that was deleted is reported, and found as soon as it is back', async () => {
    await using fixture = await startKube();
    const classOf = createClassLookup(fixture.kube);

    const error = await failureOf(classOf('shop', 'db', NEVER));
    fixture.api.put(providerClass('one'));

    expect(error).toMatchObject({
      reason: 'ClassMissing',
      message: expect.stringMatching(/^SecretProviderClass "shop\/db" does not exist, or no longer exists: /),
    });
    await expect(classOf('shop', 'db', NEVER)).resolves.toMatchObject({ name: 'db' });
  });

  it('that may not be read is not reported as missing', async () => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'status', status: 403, message: 'forbidden' };

    const error = await failureOf(createClassLookup(fixture.kube)('shop', 'db', NEVER));

    expect(error).toMatchObject({
      reason: 'KubernetesUnavailable',
      message:
        'cannot read SecretProviderClass "shop/db": the API server answered 403 (forbidden); ' +
        'allow the provider\'s service account to "get" "secretproviderclasses" by a ClusterRole ' +
        '(the chart makes it: enableSecretRotation or syncSecret.enabled)',
    });
  });
});
