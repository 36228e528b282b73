import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { createSecretApi } from '../../../src/kube/secrets.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { Fault } from '../../fakes/kube/faults.ts';
import { failureOf, NEVER, startKube } from './kube-fixture.ts';

const SECRET = { namespace: 'shop', name: 'db' };
const VALUE = 'hunter2-marked';
const FIELDS = { data: new Map([['password', SecretBytes.fromText(VALUE)]]) };
const BASE64 = Buffer.from(VALUE).toString('base64');

/** In whatever form. */
function expectNoValue(error: unknown): void {
  const shown = inspect(error, { depth: 9, showHidden: true });
  expect(shown).not.toContain(VALUE);
  expect(shown).not.toContain(BASE64);
}

describe('a refused Secret', () => {
  it.for<readonly [string, Fault, object]>([
    [
      'names fields, and quotes no value',
      {
        kind: 'status',
        status: 422,
        reason: 'Invalid',
        message: `Secret "db" is invalid: data[password]: Invalid value: "${VALUE}"`,
        details: { causes: [{ field: 'data[password]', reason: 'FieldValueInvalid', message: `"${VALUE}"` }] },
      },
      {
        reason: 'SecretRefused',
        message:
          'cannot apply Secret "shop/db": the API server answered 422 (Invalid: data[password] FieldValueInvalid)',
      },
    ],
    [
      'names the way out',
      { kind: 'status', status: 403, reason: 'Forbidden', message: `denied: ${BASE64}` },
      {
        reason: 'SecretRefused',
        message:
          'cannot apply Secret "shop/db": the API server answered 403 (Forbidden); allow the provider\'s service account to "create" and "patch" ' +
          '"secrets" by a ClusterRole (the chart makes it: syncSecret.enabled), unless a quota or a policy of the namespace refuses it',
      },
    ],
    [
      'is what a namespace that has gone makes of it',
      { kind: 'status', status: 404, reason: 'NotFound', message: 'namespaces "shop" not found' },
      { reason: 'SecretRefused', message: 'cannot apply Secret "shop/db": the API server answered 404 (NotFound)' },
    ],
    [
      'is not what a broken webhook makes of it',
      { kind: 'status', status: 500, reason: 'InternalError', message: `failed calling webhook: ${VALUE}` },
      {
        reason: 'KubernetesUnavailable',
        message: 'cannot apply Secret "shop/db": the API server answered 500 (InternalError)',
      },
    ],
    [
      'is not what a busy API server makes of it',
      { kind: 'status', status: 429, reason: 'TooManyRequests', message: 'slow down' },
      {
        reason: 'KubernetesUnavailable',
        message: 'cannot apply Secret "shop/db": the API server answered 429 (TooManyRequests)',
      },
    ],
  ])('%s', async ([, fault, expected]) => {
    await using fixture = await startKube();
    fixture.api.fault = fault;

    const error = await failureOf(
      createSecretApi(fixture.kube).apply({ ...SECRET, ...FIELDS }, 'aws-secrets-csi', NEVER),
    );

    expect(error).toMatchObject(expected);
    expectNoValue(error);
  });

  it('may not be read: the API server reports why', async () => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'status', status: 403, message: 'secrets "db" is forbidden' };

    const error = await failureOf(createSecretApi(fixture.kube).read(SECRET, NEVER));

    expect(error).toMatchObject({
      reason: 'SecretRefused',
      message:
        'cannot read Secret "shop/db": the API server answered 403 (secrets "db" is forbidden); ' +
        'allow the provider\'s service account to "get" "secrets" by a ClusterRole (the chart makes it: syncSecret.enabled)',
    });
  });
});

describe('a Secret', () => {
  it('that is being deleted is reported as such', async () => {
    const metadata = { ...SECRET, deletionTimestamp: '2026-01-01T00:00:00Z' };
    await using fixture = await startKube({ objects: [{ kind: 'Secret', metadata }] });

    const found = await createSecretApi(fixture.kube).read(SECRET, NEVER);

    expect(found).toMatchObject({ isTerminating: true, type: 'Opaque', appliers: new Set() });
  });

  it('is written once although the response was lost, and has changed then', async () => {
    await using fixture = await startKube();
    const api = createSecretApi(fixture.kube);
    await api.apply(SECRET, 'aws-secrets-csi', NEVER);
    const { uid, resourceVersion } = (await api.read(SECRET, NEVER))!;
    let patches = 0;
    using _ = fixture.api.inject({ kind: 'lost-answer' }, (method) => {
      patches += method === 'PATCH' ? 1 : 0;
      return method === 'PATCH' && patches === 1;
    });

    const outcome = await api.apply({ ...SECRET, uid, resourceVersion, ...FIELDS }, 'aws-secrets-csi', NEVER);

    expect([outcome, patches]).toEqual(['changed', 2]);
    expect((await api.read(SECRET, NEVER))?.data.get('password')?.exposeText()).toBe(VALUE);
  });

  it('is deleted only if unchanged since it was read, and not if another has created or written it meanwhile', async () => {
    await using fixture = await startKube();
    const api = createSecretApi(fixture.kube);
    await api.apply(SECRET, 'aws-secrets-csi', NEVER);
    const before = (await api.read(SECRET, NEVER))!;
    await api.apply({ ...SECRET, ...FIELDS }, 'another', NEVER);

    await api.remove(before, NEVER);
    const now = (await api.read(SECRET, NEVER))!;
    await api.remove({ ...now, uid: 'of-another' }, NEVER);
    expect(await api.read(SECRET, NEVER)).toBeDefined();

    await api.remove(now, NEVER);
    await api.remove(now, NEVER);
    expect(await api.read(SECRET, NEVER)).toBeUndefined();
  });

  it('that arrives incomplete is not quoted', async () => {
    await using fixture = await startKube();
    fixture.api.fault = { kind: 'text', status: 200, text: `{"data":{"password":"${BASE64}` };

    const error = await failureOf(createSecretApi(fixture.kube).read(SECRET, NEVER));

    expect(error.message).toBe('cannot read Secret "shop/db": API server: its answer is not JSON');
    expectNoValue(error);
  });
});
