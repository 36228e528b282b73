import { execFileSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type ClusterNode, NAMESPACE, startCluster, type TestCluster } from '../rotation/cluster.ts';
import {
  addClass,
  comesToRest,
  objectOf,
  ownedBy,
  secretIn,
  secretObject,
  SECRETS,
  SOON,
  SYNC,
  writesOf,
} from './synced.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'tls-'));

let cluster: TestCluster;
let node: ClusterNode;

/** `<name>.key` and `<name>.crt`, signed by `ca.crt`, and both with it in `<name>.pfx`. */
function makeCertificate(name: string): void {
  openssl(
    `req -newkey rsa:2048 -nodes -keyout ${name}.key -x509 -CA ca.crt -CAkey ca.key -subj /CN=${name} -out ${name}.crt -days 2`,
  );
  openssl(`pkcs12 -export -inkey ${name}.key -in ${name}.crt -certfile ca.crt -passout pass: -out ${name}.pfx`);
}

function openssl(command: string): void {
  execFileSync('openssl', command.split(' '), { cwd: FOLDER, stdio: 'pipe' });
}

function read(name: string): Buffer {
  return readFileSync(join(FOLDER, name));
}

function text(...names: readonly string[]): string {
  return names.map((name) => read(name).toString()).join('');
}

/** A TLS Secret's certificates, and whether the key is that of the first. */
function tlsOf(name: string): unknown {
  const { type, data = {} } = secretIn(cluster, name) ?? {};
  const { 'tls.crt': chain = '', 'tls.key': key = '' } = data;
  const certificates = chain.split(/(?<=-----END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
  return {
    type,
    subjects: certificates.map(({ subject }) => subject),
    isKeyOfFirst: certificates[0]?.checkPrivateKey(createPrivateKey(key)),
  };
}

beforeAll(async () => {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=ca -days 2');
  makeCertificate('old');
  makeCertificate('new');
  cluster = await startCluster();
  node = await cluster.startNode('node-1', SYNC);
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
  rmSync(FOLDER, { recursive: true });
});

describe.concurrent('a Secret of type kubernetes.io/tls', () => {
  it.for([
    [
      'key and chain in one PEM file',
      'one',
      (name: string) => ({ bundle: text(`${name}.key`, `${name}.crt`, 'ca.crt') }),
    ],
    [
      'key and chain in two PEM files',
      'two',
      (name: string) => ({ key: text(`${name}.key`), chain: text(`${name}.crt`, 'ca.crt') }),
    ],
  ] as const)('is made from %s, and rotated', async ([, kind, valuesOf], { expect }) => {
    const className = `tls-${kind}`;
    for (const [file, value] of Object.entries(valuesOf('old'))) {
      await cluster.seed.secret(`${className}-${file}`, value);
    }
    const files = Object.keys(valuesOf('old')).map((file) => `${className}-${file}`);
    const keys = { 'tls.key': files[0]!, 'tls.crt': files.at(-1)! };
    await cluster.applyClass(className, {
      objects: files.map(objectOf),
      secretObjects: [secretObject(className, keys, { type: 'kubernetes.io/tls' })],
    });

    await node.startPod(`${className}-1`, { className });
    const first = tlsOf(className);
    for (const [file, value] of Object.entries(valuesOf('new'))) {
      await cluster.seed.secretVersion(`${className}-${file}`, value);
    }

    expect(first).toEqual({ type: 'kubernetes.io/tls', subjects: ['CN=old', 'CN=ca'], isKeyOfFirst: true });
    await expect
      .poll(() => tlsOf(className), SOON)
      .toEqual({ type: 'kubernetes.io/tls', subjects: ['CN=new', 'CN=ca'], isKeyOfFirst: true });
  });

  it('is made from a PFX', async ({ expect }) => {
    await cluster.seed.secret('pfx', read('old.pfx'));
    const keys = { 'tls.key': 'pfx', 'tls.crt': 'pfx' };
    await cluster.applyClass('pfx', {
      objects: [objectOf('pfx')],
      secretObjects: [secretObject('pfx', keys, { type: 'kubernetes.io/tls' })],
    });

    await node.startPod('pfx-1', { className: 'pfx' });

    expect(tlsOf('pfx')).toEqual({ type: 'kubernetes.io/tls', subjects: ['CN=old', 'CN=ca'], isKeyOfFirst: true });
  });

  it('is not changed while the new value is not a key, which an event reports without its text', async ({ expect }) => {
    const keys = { 'tls.key': 'spoilt', 'tls.crt': 'spoilt' };
    await addClass(cluster, 'spoilt', text('old.key', 'old.crt'), {
      secretObjects: [secretObject('spoilt', keys, { type: 'kubernetes.io/tls' })],
    });
    await node.startPod('spoilt-1', { className: 'spoilt' });
    const before = secretIn(cluster, 'spoilt');

    await cluster.seed.secretVersion('spoilt', 'canary-of-a-key');
    await expect
      .poll(() => cluster.eventsOf('spoilt-1'), SOON)
      .toContainEqual(
        expect.objectContaining({ reason: 'SecretRefused', message: expect.stringContaining('no private key') }),
      );
    const kept = secretIn(cluster, 'spoilt');
    await cluster.seed.secretVersion('spoilt', text('new.key', 'new.crt'));

    expect(kept).toEqual(before);
    await expect.poll(() => tlsOf('spoilt'), SOON).toMatchObject({ subjects: ['CN=new'], isKeyOfFirst: true });
    expect(JSON.stringify(await cluster.eventsOf('spoilt-1')) + node.log.join('')).not.toContain('canary');
  });
});

describe.concurrent('a Secret', () => {
  it('of type kubernetes.io/dockerconfigjson is made from a file', async ({ expect }) => {
    const config = JSON.stringify({ auths: { 'registry.example': { auth: 'dTpw' } } });
    await addClass(cluster, 'registry', config, {
      secretObjects: [
        secretObject('registry', { '.dockerconfigjson': 'registry' }, { type: 'kubernetes.io/dockerconfigjson' }),
      ],
    });

    await node.startPod('registry-1', { className: 'registry' });

    expect(secretIn(cluster, 'registry')).toMatchObject({
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': config },
    });
  });

  it('of type kubernetes.io/basic-auth is made from parts of a JSON value', async ({ expect }) => {
    const jmesPath = ['user', 'password'].map((path) => ({ path, objectAlias: `login-${path}` }));
    await addClass(cluster, 'login', JSON.stringify({ user: 'app', password: 'p1' }), {
      objects: [{ ...objectOf('login'), jmesPath }],
      secretObjects: [
        secretObject(
          'login',
          { username: 'login-user', password: 'login-password' },
          { type: 'kubernetes.io/basic-auth' },
        ),
      ],
    });

    await node.startPod('login-1', { className: 'login' });
    const first = secretIn(cluster, 'login');
    await cluster.seed.secretVersion('login', JSON.stringify({ user: 'app2', password: 'p2' }));

    expect(first).toMatchObject({ type: 'kubernetes.io/basic-auth', data: { username: 'app', password: 'p1' } });
    await expect.poll(() => secretIn(cluster, 'login')?.data, SOON).toEqual({ username: 'app2', password: 'p2' });
  });

  it('has a key for every file if the class says so, including files that are added later', async ({ expect }) => {
    const annotations = { 'aws-secrets-csi/sync-all-keys': 'true' };
    const secretObjects = [secretObject('all', { url: 'all/url' })];
    for (const name of ['all/url', 'all/user', 'all/later']) {
      await cluster.seed.secret(name, `value of ${name}`);
    }
    const objects = ['all/url', 'all/user'].map((name) => ({ ...objectOf(name), objectAlias: name }));
    const parameters = { pathTranslation: 'False' };
    await cluster.applyClass('all', { objects, parameters, secretObjects, annotations });

    await node.startPod('all-1', { className: 'all' });
    const first = secretIn(cluster, 'all')?.data;
    await cluster.applyClass('all', {
      objects: [...objects, { ...objectOf('all/later'), objectAlias: 'later' }],
      parameters,
      secretObjects,
      annotations,
    });

    expect(first).toEqual({ url: 'value of all/url', all_user: 'value of all/user' });
    await expect
      .poll(() => secretIn(cluster, 'all')?.data, SOON)
      .toEqual({ url: 'value of all/url', all_user: 'value of all/user', later: 'value of all/later' });
  });

  it('that is immutable is recreated with each rotation, with the same owners, and not in between', async ({
    expect,
  }) => {
    const annotations = { 'aws-secrets-csi/sync-immutable': 'true' };
    await addClass(cluster, 'immutable', 'p1', { annotations });
    await node.startPod('immutable-1', { className: 'immutable', owner: ownedBy('rs-1') });
    await node.startPod('immutable-2', { className: 'immutable', owner: ownedBy('rs-2') });
    const before = secretIn(cluster, 'immutable');

    await cluster.seed.secretVersion('immutable', 'p2');
    await expect.poll(() => secretIn(cluster, 'immutable')?.data, SOON).toEqual({ password: 'p2' });
    await expect.poll(() => secretIn(cluster, 'immutable')?.owners, SOON).toEqual(before?.owners);
    const after = secretIn(cluster, 'immutable');

    expect(before).toMatchObject({ isImmutable: true, owners: ['ReplicaSet rs-1', 'ReplicaSet rs-2'] });
    expect(after).toMatchObject({ isImmutable: true, type: 'Opaque', labels: before?.labels });
    expect(after?.uid).not.toBe(before?.uid);
    await comesToRest(cluster, 'immutable');
  });

  it('becomes immutable, and mutable again, as the class says', async ({ expect }) => {
    const annotations = { 'aws-secrets-csi/sync-immutable': 'true' };
    await addClass(cluster, 'turning', 'p1');
    await node.startPod('turning-1', { className: 'turning' });
    const options = {
      objects: [objectOf('turning')],
      secretObjects: [secretObject('turning', { password: 'turning' })],
    };

    await cluster.applyClass('turning', { ...options, annotations });
    await expect.poll(() => secretIn(cluster, 'turning')?.isImmutable, SOON).toBe(true);
    await cluster.applyClass('turning', options);
    await expect.poll(() => secretIn(cluster, 'turning')?.isImmutable, SOON).toBe(false);

    expect(secretIn(cluster, 'turning')).toMatchObject({ data: { password: 'p1' }, owners: ['Pod turning-1'] });
  });

  it('is recreated if the class sets another type', async ({ expect }) => {
    await addClass(cluster, 'retyped', 'p1');
    await node.startPod('retyped-1', { className: 'retyped', owner: ownedBy('retyped-rs') });

    await cluster.applyClass('retyped', {
      objects: [objectOf('retyped')],
      secretObjects: [secretObject('retyped', { password: 'retyped' }, { type: 'kubernetes.io/basic-auth' })],
    });

    await expect
      .poll(() => secretIn(cluster, 'retyped'), SOON)
      .toMatchObject({ type: 'kubernetes.io/basic-auth', data: { password: 'p1' }, owners: ['ReplicaSet retyped-rs'] });
  });
});

describe.concurrent('what cannot become a Secret', () => {
  it.for([
    [
      'a file that is not in the volume',
      'missing',
      { password: 'elsewhere' },
      {},
      '"elsewhere" is not a file of the volume',
    ],
    ['a type without its keys', 'keyless', { ca: 'keyless' }, { type: 'kubernetes.io/tls' }, 'tls.crt'],
    ['a label that cannot be one', 'labelled', { password: 'labelled' }, { labels: { 'a b': 'c' } }, '"a b"'],
    ['a key that cannot be one', 'keyed', { 'a/b': 'keyed' }, {}, '"a/b" cannot be a key'],
  ] as const)(
    'is reported on the pod, and does not affect its other Secrets: %s',
    async ([, name, keys, more, said], { expect }) => {
      await addClass(cluster, name, 'p1', {
        secretObjects: [secretObject(name, keys, more), secretObject(`${name}-sound`, { password: name })],
      });

      await node.startPod(`${name}-1`, { className: name });
      await expect
        .poll(() => cluster.eventsOf(`${name}-1`), SOON)
        .toMatchObject([{ type: 'Warning', message: expect.stringContaining(said) }]);

      expect(secretIn(cluster, name)).toBeUndefined();
      expect(secretIn(cluster, `${name}-sound`)).toMatchObject({ data: { password: 'p1' }, owners: [`Pod ${name}-1`] });
    },
  );

  it('is reported for an invalid name', async ({ expect }) => {
    await addClass(cluster, 'named', 'p1', { secretObjects: [secretObject('Not_A_Name', { password: 'named' })] });

    await node.startPod('named-1', { className: 'named' });

    await expect
      .poll(() => cluster.eventsOf('named-1'), SOON)
      .toMatchObject([{ message: expect.stringContaining('"Not_A_Name" cannot be the name of a Secret') }]);
    expect(cluster.api.requests.filter((request) => request.includes('Not_A_Name'))).toEqual([]);
  });

  it.for([
    ['created by hand', {}],
    ['of another operator', { labels: { 'app.kubernetes.io/managed-by': 'other' } }],
  ] as const)(
    'leaves a Secret that it does not manage unchanged, and reports it on the pod: %s',
    async ([what, metadata], { expect }) => {
      const name = `others-${what.split(' ')[0]}`;
      cluster.api.put({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace: NAMESPACE, name, ...metadata },
        data: { password: 'aGFuZA==' },
      });
      const before = cluster.api.find(`${SECRETS}/${name}`);
      await addClass(cluster, name, 'p1');

      const pod = await node.startPod(`${name}-1`, { className: name });
      await expect
        .poll(() => cluster.eventsOf(pod.name), SOON)
        .toMatchObject([
          { reason: 'SecretRefused', message: expect.stringContaining('is not managed by this provider') },
        ]);
      await node.stopPod(pod);

      await expect.poll(() => node.saidOf(pod, 'mount is no longer polled'), SOON).toHaveLength(1);
      expect(writesOf(cluster, name)).toEqual([]);
      expect(cluster.api.find(`${SECRETS}/${name}`)).toEqual(before);
    },
  );

  it('is created once the other Secret of its name is deleted', async ({ expect }) => {
    cluster.api.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: NAMESPACE, name: 'cleared' },
      data: {},
    });
    await addClass(cluster, 'cleared', 'p1');
    await node.startPod('cleared-1', { className: 'cleared' });

    cluster.api.remove(`${SECRETS}/cleared`);

    await expect.poll(() => secretIn(cluster, 'cleared')?.data, SOON).toEqual({ password: 'p1' });
    await expect
      .poll(async () => (await cluster.eventsOf('cleared-1')).map(({ reason }) => reason), SOON)
      .toEqual(['SecretRefused', 'SecretsRefreshed']);
  });
});
