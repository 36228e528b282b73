import type { V1StatefulSet } from '@kubernetes/client-node';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Kube } from '../../../src/kube/client.ts';
import { createEventRecorder } from '../../../src/kube/events.ts';
import { createOwnerApi } from '../../../src/kube/owners.ts';
import { createPodApi } from '../../../src/kube/pods.ts';
import { createSecretApi } from '../../../src/kube/secrets.ts';
import { createTokenRequests } from '../../../src/kube/token-requests.ts';
import { createWorkloadApi } from '../../../src/kube/workloads.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { SecretName } from '../../../src/sync/secret-api.ts';
import type { SecretFields } from '../../fakes/kube/memory-secrets.ts';
import { failureOf, NEVER, ownerRef } from './kube-fixture.ts';
import { type Server, SERVERS } from './servers.ts';
import { getObject } from '../../../src/kube/get.ts';

const CONTENT = 'aws-secrets-csi';

describe.for(SERVERS)('%s', ([, start]) => {
  let server: Server;
  let kube: Kube;
  let names = 0;
  beforeAll(async () => {
    server = await start();
    ({ kube } = server);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  function newName(): SecretName {
    names += 1;
    return { namespace: 'shop', name: `secret-${names}` };
  }

  async function apply(secret: SecretName, manager: string, fields: SecretFields): Promise<void> {
    expect(await createSecretApi(kube).apply({ ...secret, ...fields }, manager, NEVER)).toEqual(await stored(secret));
  }

  async function stored(secret: SecretName) {
    const found = await createSecretApi(kube).read(secret, NEVER);
    expect(found).toBeDefined();
    return found!;
  }

  /** What a test compares: without fields that differ from run to run. */
  async function shown(secret: SecretName) {
    const { type, isImmutable, labels, annotations, data, owners, appliers } = await stored(secret);
    return {
      type,
      isImmutable,
      labels: Object.fromEntries(labels),
      annotations: Object.fromEntries(annotations),
      data: Object.fromEntries([...data].map(([key, value]) => [key, value.exposeText()])),
      owners: owners.map(({ uid }) => uid),
      appliers: [...appliers].toSorted(),
    };
  }

  it('creates what is applied, and writes nothing if the same is applied again', async () => {
    const secret = newName();
    const fields: SecretFields = {
      type: 'kubernetes.io/basic-auth',
      isImmutable: false,
      labels: new Map([['label', '1']]),
      annotations: new Map([['annotation', '1']]),
      data: dataOf({ password: 'pässword\0' }),
      owners: [ownerRef('one')],
    };

    await apply(secret, CONTENT, fields);
    const first = await stored(secret);
    await apply(secret, CONTENT, fields);
    const second = await stored(secret);

    expect(await shown(secret)).toEqual({
      type: 'kubernetes.io/basic-auth',
      isImmutable: false,
      labels: { label: '1' },
      annotations: { annotation: '1' },
      data: { password: 'pässword\0' },
      owners: ['one'],
      appliers: [CONTENT],
    });
    expect(first.owners).toEqual([ownerRef('one')]);
    expect(second.resourceVersion).toBe(first.resourceVersion);
    expect(second.isTerminating).toBe(false);
  });

  it('removes what a manager no longer applies, unless another applies it too', async () => {
    const secret = newName();
    await apply(secret, CONTENT, { data: dataOf({ a: '1', b: '1' }), labels: new Map([['x', '1']]) });
    await apply(secret, 'other', { data: dataOf({ b: '1' }) });

    await apply(secret, CONTENT, { data: dataOf({ c: '1' }) });

    expect(await shown(secret)).toMatchObject({
      data: { b: '1', c: '1' },
      labels: {},
      appliers: [CONTENT, 'other'],
    });
  });

  it('keeps an owner as long as one manager applies it, and removes a manager that applies nothing', async () => {
    const secret = newName();
    await apply(secret, CONTENT, { owners: [ownerRef('one')], data: dataOf({ a: '1' }) });
    await apply(secret, `${CONTENT}/one`, { owners: [ownerRef('one')] });
    await apply(secret, `${CONTENT}/two`, { owners: [ownerRef('two')] });
    await apply(secret, CONTENT, { data: dataOf({ a: '1' }) });
    const both = await shown(secret);

    await apply(secret, `${CONTENT}/one`, {});
    const left = await shown(secret);

    expect(both).toMatchObject({ owners: ['one', 'two'], appliers: [CONTENT, `${CONTENT}/one`, `${CONTENT}/two`] });
    expect(left).toMatchObject({ owners: ['two'], appliers: [CONTENT, `${CONTENT}/two`] });
  });

  it('takes over a field from a manager with another value, which does not remove it afterwards', async () => {
    const secret = newName();
    await apply(secret, 'other', { data: dataOf({ a: 'theirs', b: 'theirs' }) });
    await apply(secret, CONTENT, { data: dataOf({ a: 'ours' }) });

    await apply(secret, 'other', { data: dataOf({ b: 'theirs' }) });

    expect(await shown(secret)).toMatchObject({ data: { a: 'ours', b: 'theirs' } });
  });

  it('refuses to take over a field without force', async () => {
    const secret = newName();
    await apply(secret, 'other', { data: dataOf({ a: 'theirs' }) });
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret.name }, data: { a: 'b3Vycw==' } };
    const request = { verb: 'apply', resource: 'secrets', ...secret, body, accepts: [409] } as const;

    const { status, object } = await kube.ask({ ...request, query: { fieldManager: CONTENT } }, NEVER);

    expect(status).toBe(409);
    expect(object).toMatchObject({ details: { causes: [{ reason: 'FieldManagerConflict', field: '.data.a' }] } });
  });

  it('attributes what was created or patched without apply to its author', async () => {
    const secret = newName();
    const target = { resource: 'secrets', ...secret } as const;
    const metadata = { name: secret.name };
    const body = { apiVersion: 'v1', kind: 'Secret', metadata, data: { a: 'YQ==', b: 'YQ==' } };
    await kube.ask({ verb: 'create', ...target, body }, NEVER);
    await apply(secret, CONTENT, { data: dataOf({ a: 'a', c: 'a', d: 'a' }) });
    await kube.ask({ verb: 'merge', ...target, body: { data: { c: 'Yg==', d: null } } }, NEVER);

    await apply(secret, CONTENT, {});

    expect(await shown(secret)).toMatchObject({ data: { a: 'a', b: 'a', c: 'b' }, appliers: [] });
  });

  it('overwrites nothing that has changed since it was read, was recreated, or was deleted', async () => {
    const secret = newName();
    const api = createSecretApi(kube);
    await apply(secret, CONTENT, { data: dataOf({ a: '1' }) });
    const before = await stored(secret);
    const { uid, resourceVersion } = before;
    await apply(secret, CONTENT, { data: dataOf({ a: '2' }) });
    const another = '00000000-0000-4000-8000-000000000000';
    const late = { data: dataOf({ a: '3' }) };

    const outcomes = [
      await api.apply({ ...secret, uid, resourceVersion, ...late }, CONTENT, NEVER),
      await api.apply({ ...secret, uid: another, ...late }, CONTENT, NEVER),
      await api.apply({ ...newName(), uid, resourceVersion, ...late }, CONTENT, NEVER),
    ];
    await api.remove(before, NEVER);
    await api.remove({ ...(await stored(secret)), uid: another }, NEVER);

    expect(outcomes).toEqual(['changed', 'changed', 'changed']);
    expect(await shown(secret)).toMatchObject({ data: { a: '2' } });
  });

  it('deletes what is unchanged since it was read, and accepts that it no longer exists', async () => {
    const secret = newName();
    const api = createSecretApi(kube);
    await apply(secret, CONTENT, {});
    const read = await stored(secret);

    await api.remove(read, NEVER);
    await api.remove(read, NEVER);

    expect(await api.read(secret, NEVER)).toBeUndefined();
  });

  it.for<readonly [string, SecretFields, SecretFields, string]>([
    ['another type', { type: 'a/a' }, { type: 'b/b' }, 'Invalid: type FieldValueInvalid'],
    [
      'another value in what is immutable',
      { isImmutable: true, data: dataOf({ a: '1' }) },
      { isImmutable: true, data: dataOf({ a: '2' }) },
      'Invalid: data FieldValueForbidden',
    ],
    [
      'to make what is immutable mutable',
      { isImmutable: true, data: dataOf({ a: '1' }) },
      { data: dataOf({ a: '1' }) },
      'Invalid: immutable FieldValueForbidden',
    ],
    [
      'a type without its keys',
      { data: dataOf({ a: '1' }), type: 'kubernetes.io/tls' },
      {},
      'Invalid: data[tls.crt] FieldValueRequired, data[tls.key] FieldValueRequired',
    ],
    ['a key that is none', { data: dataOf({ 'a/b': '1' }) }, {}, 'Invalid: data[a/b] FieldValueInvalid'],
  ])('refuses %s, and names the field', async ([, first, second, said]) => {
    const secret = newName();
    const api = createSecretApi(kube);

    const error = await failureOf(
      api
        .apply({ ...secret, ...first }, CONTENT, NEVER)
        .then(() => api.apply({ ...secret, ...second }, CONTENT, NEVER)),
    );

    expect(error).toMatchObject({
      reason: 'SecretRefused',
      message: `cannot apply Secret "shop/${secret.name}": the API server answered 422 (${said})`,
    });
  });

  it('still accepts a label for an immutable Secret', async () => {
    const secret = newName();
    const immutable: SecretFields = { isImmutable: true, data: dataOf({ a: '1' }) };
    await apply(secret, CONTENT, immutable);

    await apply(secret, CONTENT, { ...immutable, labels: new Map([['label', '1']]) });

    expect(await shown(secret)).toMatchObject({ isImmutable: true, labels: { label: '1' } });
  });

  it('returns a token for an existing pod, and accepts events about it', async () => {
    const spec = {
      serviceAccountName: 'web',
      automountServiceAccountToken: false,
      nodeName: 'node-1',
      containers: [{ name: 'main', image: 'image' }],
    };
    const body = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1' }, spec };
    await kube.ask({ verb: 'create', resource: 'pods', namespace: 'shop', body }, NEVER);
    const [pod] = await createPodApi(kube).listPods('node-1', NEVER);
    const { ref } = pod!;
    const event = { pod: ref, type: 'Warning', reason: 'Refused', message: 'no' } as const;
    const source = { component: CONTENT, nodeName: 'node-1' };
    const log = pino({ level: 'silent' });
    const tokenOf = createTokenRequests(kube);

    const token = await tokenOf(ref, 'sts.amazonaws.com', NEVER);
    const gone = await failureOf(tokenOf({ ...ref, uid: 'other' }, 'sts.amazonaws.com', NEVER));
    await createEventRecorder(kube, source, log)(event, NEVER);
    await createEventRecorder(kube, source, log)(event, NEVER);
    const events = await kube.ask({ verb: 'list', resource: 'events', namespace: 'shop' }, NEVER);

    expect(token.exposeText().split('.')).toHaveLength(3);
    expect(gone).toMatchObject({ reason: 'TokenMissing', message: expect.stringContaining('does not match the UID') });
    expect(events.object).toMatchObject({ items: [{ count: 2, reason: 'Refused', involvedObject: { uid: ref.uid } }] });
  });

  it('restarts a workload that is unchanged since it was read', async () => {
    const csi = { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'db' }, readOnly: true };
    const containers = [{ name: 'main', image: 'image' }];
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: { containers, volumes: [{ name: 'db', csi }] },
    };
    const spec = { selector: { matchLabels: { app: 'web' } }, serviceName: 'web', template };
    const metadata = { name: 'web', annotations: { kept: '1' } };
    const body = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata, spec };
    const made = await kube.ask({ verb: 'create', resource: 'statefulsets', namespace: 'shop', body }, NEVER);
    const api = createWorkloadApi(kube, createOwnerApi(kube));
    const pod = {
      ref: { namespace: 'shop', name: 'web-0', uid: 'uid-of-web-0', serviceAccount: 'web' },
      hasEnded: false,
      isTerminating: false,
      labels: new Map([['app', 'web']]),
      owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: made.object.metadata?.uid ?? '' },
      volumes: new Map([['db', new Map([['secretProviderClass', 'db']])]]),
    };
    const workload = (await api.workloadOf(pod, 'db', NEVER))!;

    const first = await api.patch(workload, { annotations: { a: '1' }, templateAnnotations: { b: '1' } }, NEVER);
    const second = await api.patch(workload, { annotations: { a: '2' } }, NEVER);
    const { annotations } = (await api.workloadOf(pod, 'db', NEVER))!;
    const { spec: written } = await getObject<V1StatefulSet>(kube, {
      resource: 'statefulsets',
      namespace: 'shop',
      name: 'web',
    });

    expect([first, second]).toEqual(['written', 'changed']);
    expect(Object.fromEntries(annotations)).toMatchObject({ kept: '1', a: '1' });
    expect(written?.template.metadata?.annotations).toEqual({ b: '1' });
  });
});

function dataOf(texts: Readonly<Record<string, string>>): ReadonlyMap<string, SecretBytes> {
  return new Map(Object.entries(texts).map(([key, text]) => [key, SecretBytes.fromText(text)]));
}
