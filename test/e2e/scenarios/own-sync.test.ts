import { createPrivateKey, X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { makeCertificates } from '../../fakes/aws/certificates.ts';
import { openCluster } from '../cluster/cluster.ts';
import { FRESH_WITHIN_MS, INTERVAL_MS, ALL_FEATURES } from '../provider/facts.ts';
import { type ClassOptions, secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };
const MANAGED = { 'secrets-store.csi.k8s.io/managed': 'true' };

vi.setConfig({ maxConcurrency: 6 });

const cluster = await openCluster();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'own-sync');
});

afterAll(() => scenario[Symbol.asyncDispose]());

/** A class whose file `login` and its `password` become keys of a Secret of its name. */
async function applyClass(name: string, annotations: ClassOptions['annotations'] = {}, type = 'Opaque'): Promise<void> {
  await scenario.seed.secret(name, login('p1'));
  const jmesPath = [{ path: 'password', objectAlias: 'password' }];
  const object = { objectName: name, objectType: 'secretsmanager', objectAlias: 'login', jmesPath };
  const secret = {
    secretName: name,
    type,
    labels: { environment: 'test' },
    annotations: { 'example.com/note': 'from AWS' },
    data: [
      { objectName: 'password', key: 'password' },
      { objectName: 'login', key: 'login.json' },
    ],
  };
  await scenario.apply(
    secretProviderClass(name, [object], { provider: ALL_FEATURES, secretObjects: [secret], annotations }),
  );
}

async function passwordOf(name: string): Promise<string | undefined> {
  return (await scenario.secretOf(name))?.data['password'];
}

async function ownersOf(name: string): Promise<readonly string[] | undefined> {
  return (await scenario.secretOf(name))?.owners;
}

describe('a Secret that the provider creates from the files', () => {
  test.concurrent('exists before the first container starts, has its owner, and is updated by a rotation', async ({
    expect,
  }) => {
    const name = 'variable';
    await applyClass(name);
    const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }];

    await scenario.startPods(scenario.pod(name, { classes: [name], env }));
    const refused = await scenario.kubectl(
      'get',
      'events',
      `--field-selector=involvedObject.name=${name},reason=Failed`,
    );
    const made = await scenario.secretOf(name);
    await scenario.kubectl('label', 'secret', name, 'of=another');
    const rotatedAt = performance.now();
    await scenario.seed.secretVersion(name, login('p2'));
    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p2');
    const tookMs = performance.now() - rotatedAt;
    console.log(`a Secret followed a rotation after ${(tookMs / 1000).toFixed(1)} s`);

    expect(await scenario.exec(name, 'sh', '-c', 'echo "$PASSWORD"')).toBe('p1\n');
    expect(refused.trim()).toBe('');
    expect(made).toMatchObject({ type: 'Opaque', isImmutable: false, owners: ['Pod'] });
    expect(made?.data).toEqual({ password: 'p1', 'login.json': login('p1') });
    expect(made?.labels).toEqual({ environment: 'test', ...MANAGED });
    expect(made?.annotations).toMatchObject({
      'example.com/note': 'from AWS',
      'aws-secrets-csi/as-of': expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(made?.managers).toContain('aws-secrets-csi');
    expect(tookMs).toBeLessThanOrEqual(FRESH_WITHIN_MS);
    expect((await scenario.secretOf(name))?.labels).toEqual({ environment: 'test', of: 'another', ...MANAGED });
  });

  test.concurrent('of type kubernetes.io/tls has its certificates and its key from one file', async ({ expect }) => {
    const { key, cert, authority } = await makeCertificates(['DNS:shop.example']);
    await scenario.seed.secret('tls', key + cert + authority);
    const object = { objectName: 'tls', objectType: 'secretsmanager' };
    const data = ['tls.crt', 'tls.key'].map((name) => ({ objectName: 'tls', key: name }));
    const secret = { secretName: 'tls', type: 'kubernetes.io/tls', data };
    await scenario.apply(secretProviderClass('tls', [object], { provider: ALL_FEATURES, secretObjects: [secret] }));

    await scenario.startPods(scenario.pod('tls', { classes: ['tls'] }));

    const made = await scenario.secretOf('tls');
    const { 'tls.crt': chain = '', 'tls.key': privateKey = '' } = made?.data ?? {};
    expect(made?.type).toBe('kubernetes.io/tls');
    expect(chain).toBe(cert + authority);
    expect(new X509Certificate(chain).checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
  });

  test.concurrent("is owned by the pods' controllers, is deleted with the last of them, and created again", async ({
    expect,
  }) => {
    const name = 'shared';
    await applyClass(name);
    await scenario.startPods(
      scenario.deployment('red', { classes: [name] }),
      scenario.deployment('blue', { classes: [name] }),
    );
    const both = await ownersOf(name);

    await scenario.kubectl('scale', 'deployment', 'red', '--replicas=0');
    await expect.poll(() => ownersOf(name), PATIENCE).toEqual(['ReplicaSet']);
    await scenario.kubectl('delete', 'deployment', 'blue');
    await expect.poll(() => scenario.secretOf(name), PATIENCE).toBeUndefined();
    await scenario.seed.secretVersion(name, login('p2'));
    await scenario.kubectl('scale', 'deployment', 'red', '--replicas=1');
    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p2');

    expect(both).toEqual(['ReplicaSet', 'ReplicaSet']);
    expect(await ownersOf(name)).toEqual(['ReplicaSet']);
  });

  test.concurrent('is immutable and has a key for every file, if the class says so', async ({ expect }) => {
    const name = 'whole';
    const words = ['sync-immutable', 'sync-all-keys'].map((word) => [`aws-secrets-csi/${word}`, 'true']);
    await applyClass(name, Object.fromEntries(words));
    await scenario.startPods(scenario.pod(name, { classes: [name] }));
    const made = await scenario.secretOf(name);

    await scenario.seed.secretVersion(name, login('p2'));
    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p2');

    const anew = await scenario.secretOf(name);
    expect(made).toMatchObject({ isImmutable: true, data: { password: 'p1', 'login.json': login('p1') } });
    expect(anew).toMatchObject({
      isImmutable: true,
      data: { password: 'p2', 'login.json': login('p2') },
      owners: ['Pod'],
    });
    expect(anew?.uid).not.toBe(made?.uid);
  });

  test.concurrent('does not replace a Secret that it does not manage: an event says so, and the pod runs', async ({
    expect,
  }) => {
    const name = 'taken';
    await scenario.kubectl('create', 'secret', 'generic', name, '--from-literal=password=theirs');
    const before = await scenario.secretOf(name);
    await applyClass(name);

    await scenario.startPods(scenario.pod(name, { classes: [name] }));

    await expect
      .poll(() => scenario.eventsOf(name), PATIENCE)
      .toEqual([
        {
          type: 'Warning',
          reason: 'SecretRefused',
          message: expect.stringContaining('is not managed by this provider'),
        },
      ]);
    expect(await scenario.filesOf(name, name)).toMatchObject({ password: ['644', 'p1'] });
    expect((await scenario.secretOf(name))?.resourceVersion).toBe(before?.resourceVersion);
  });
});

describe.runIf(cluster.owned)('a Secret that the driver creates too', () => {
  beforeAll(() => cluster.restartDriver({ syncSecret: true }));

  afterAll(() => cluster.restartDriver());

  test('has the right values and owners, and is not written afterwards', async ({ expect }) => {
    const name = 'twice';
    const owners = ['ReplicaSet', 'ReplicaSet'];
    await applyClass(name);
    await scenario.startPods(
      scenario.deployment('one', { classes: [name] }),
      scenario.deployment('two', { classes: [name] }),
    );
    await expect.poll(() => ownersOf(name), PATIENCE).toEqual(owners);

    await scenario.seed.secretVersion(name, login('p2'));
    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p2');
    // The driver, which has put a Secret of its own in the place of ours, sets owners 5 s later, and our next poll restores what it removed.
    await sleep(INTERVAL_MS + 2_000);
    const settled = await scenario.secretOf(name);
    await sleep(INTERVAL_MS + 2_000);

    expect(settled).toMatchObject({ data: { password: 'p2', 'login.json': login('p2') }, owners });
    expect(settled?.managers).toEqual(expect.arrayContaining(['aws-secrets-csi', 'csi-secrets-store']));
    expect((await scenario.secretOf(name))?.resourceVersion).toBe(settled?.resourceVersion);
  });
});

function login(password: string): string {
  return JSON.stringify({ user: 'app', password });
}
