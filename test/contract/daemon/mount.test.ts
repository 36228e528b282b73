import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { POD, contentsOf, serviceAccount, startNode, type TestNode } from './node.ts';

const OBJECTS = `
- objectName: db
  objectType: secretsmanager
  jmesPath:
    - Path: password
      ObjectAlias: db-password
      filePermission: "0400"
- objectName: binary
  objectType: secretsmanager
- objectName: /app/url
  objectType: ssmparameter
- objectName: /app/nested
  objectType: ssmparameter
  objectAlias: deep/er
`;

const EXPECTED = {
  db: ['644', '{"password":"p1"}'],
  'db-password': ['400', 'p1'],
  binary: ['644', 'bytes'],
  _app_url: ['644', 'https://example.com'],
  deep_er: ['644', 'n'],
};

async function seedObjects({ seed }: TestNode): Promise<string> {
  const { version } = await seed.secret('db', '{"password":"p1"}');
  await seed.secret('binary', new TextEncoder().encode('bytes'));
  await seed.parameter('/app/url', 'https://example.com');
  await seed.parameter('/app/nested', 'n');
  return version;
}

describe('a provider that writes the files', () => {
  let node: TestNode;
  let version: string;

  beforeAll(async () => {
    node = await startNode();
    version = await seedObjects(node);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  it('writes objects of both stores, extracted keys and exact modes, and reports each version', async () => {
    const targetPath = await node.newTarget();
    const response = await node.mount({ objects: OBJECTS }, { targetPath });

    expect(await contentsOf(targetPath)).toEqual(EXPECTED);
    expect(response.files).toEqual([]);
    expect(response.objectVersion).toHaveLength(5);
    expect(response.objectVersion).toContainEqual({ id: 'db-password', version });
    expect(response.objectVersion).toContainEqual({ id: '_app_url', version: '1' });
  });

  it('mounts a class without objects as an empty volume with one placeholder version', async () => {
    const targetPath = await node.newTarget();
    const response = await node.mount({}, { targetPath });

    expect(await contentsOf(targetPath)).toEqual({});
    expect(response.objectVersion).toHaveLength(1);
  });

  it('creates subdirectories if slashes are kept', async () => {
    const targetPath = await node.newTarget();
    await node.mount({ objects: OBJECTS, pathTranslation: 'False' }, { targetPath });

    expect(await contentsOf(targetPath)).toMatchObject({
      'app/url': ['644', 'https://example.com'],
      'deep/er': ['644', 'n'],
    });
  });

  it("takes over a volume that AWS's provider filled, and deletes the files of removed objects", async () => {
    const targetPath = await node.newTarget();
    await writeFile(join(targetPath, 'db'), 'old');
    await writeFile(join(targetPath, 'gone'), 'old');
    await node.mount({ objects: OBJECTS }, { targetPath });

    expect(await contentsOf(targetPath)).toEqual(EXPECTED);
  });

  it("uses the node's region if neither class nor flag sets one", async () => {
    await using other = await startNode({ env: { AWS_REGION: '', NODE_NAME: 'node-1' } });
    other.api.put({
      kind: 'Node',
      metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/region': 'us-east-1' } },
    });
    await seedObjects(other);
    const targetPath = await other.newTarget();
    await other.mount({ objects: OBJECTS }, { targetPath });

    expect(await contentsOf(targetPath)).toEqual(EXPECTED);
  });

  it('serves health checks: ready while it accepts mounts', async () => {
    const [live, ready, other] = await Promise.all(
      ['/livez', '/readyz', '/'].map((path) => fetch(`http://127.0.0.1:${node.healthPort}${path}`)),
    );

    expect([live?.status, ready?.status, other?.status]).toEqual([200, 200, 404]);
  });
});

describe('a provider whose driver writes the files', () => {
  let node: TestNode;

  beforeAll(async () => {
    node = await startNode({ args: ['--driver-writes-secrets'] });
    await seedObjects(node);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  it('returns every file with its mode, and does not touch the volume', async () => {
    const targetPath = await node.newTarget();
    const response = await node.mount({ objects: OBJECTS }, { targetPath });
    const files = response.files.map(({ path, mode, contents }) => [
      path,
      [mode.toString(8), Buffer.from(contents).toString()],
    ]);

    expect(Object.fromEntries(files)).toEqual(EXPECTED);
    expect(await contentsOf(targetPath)).toEqual({});
  });
});

describe('a rotation between two mounts', () => {
  it.for([
    ['with the versions that drivers before 1.6 send', true],
    ['without versions, as driver 1.6 does', false],
  ] as const)('reaches the volume atomically, %s', async ([, sendVersions]) => {
    await using node = await startNode({ args: ['--rotation-poll-interval=1us'] });
    await node.seed.secret('db', '{"password":"p1"}');
    const objects = '[{objectName: db, objectType: secretsmanager, jmesPath: [{path: password, objectAlias: pw}]}]';
    const targetPath = await node.newTarget();
    const first = await node.mount({ objects }, { targetPath });
    const version = await node.seed.secretVersion('db', '{"password":"p2"}');
    const second = await node.mount(
      { objects },
      { targetPath, currentVersions: sendVersions ? first.objectVersion : [] },
    );

    expect(second.objectVersion).toEqual([
      { id: 'db', version },
      { id: 'pw', version },
    ]);
    expect(await contentsOf(targetPath)).toEqual({ db: ['644', '{"password":"p2"}'], pw: ['644', 'p2'] });
  });

  it('reports no versions of objects that the class no longer names', async () => {
    await using node = await startNode();
    await node.seed.secret('db', 'v');
    const objects = '[{objectName: db, objectType: secretsmanager}]';
    const { objectVersion } = await node.mount({ objects }, { currentVersions: [{ id: 'gone', version: '1' }] });

    expect(objectVersion.map(({ id }) => id)).toEqual(['db']);
  });
});

describe('two service accounts', () => {
  it('each read what their own role allows, and nothing else', async () => {
    await using node = await startNode();
    await node.seed.secret('mine', 'of shop/web');
    await node.seed.secret('theirs', 'of shop/other');
    const allows = [
      { actions: ['secretsmanager:GetSecretValue'], resources: ['arn:aws:secretsmanager:*:*:secret:theirs*'] },
    ];
    node.api.put(serviceAccount('shop', 'other', node.aws.addRole('other', ['shop/other'], allows)));
    const other = { namespace: 'shop', name: 'other-1', serviceAccount: 'other' };
    await node.mount({ objects: '[{objectName: mine, objectType: secretsmanager}]' }, { pod: POD });
    await node.mount({ objects: '[{objectName: theirs, objectType: secretsmanager}]' }, { pod: other });
    const refusal = await node.refused({ objects: '[{objectName: mine, objectType: secretsmanager}]' }, { pod: other });

    expect(refusal.code).toBe('PERMISSION_DENIED');
    expect(refusal.message).toContain('AccessDeniedException');
    expect(refusal.message).toContain(`secret:mine-`);
  });
});
