import { afterAll, beforeAll, describe, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

/** The driver sees to owners every 5 s, the kubelet to volumes every 10 to 15 s. */
const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();

// On a cluster you have, it is for you to give the driver syncSecret.enabled.
describe.runIf(cluster.owned)('a Secret that the driver creates from the files', () => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await openScenario(cluster, 'secret-sync');
    await cluster.restartDriver({ syncSecret: true });
  });

  afterAll(async () => {
    await scenario[Symbol.asyncDispose]();
    await cluster.restartDriver();
  });

  /** A class whose files become keys of a Secret of its name. */
  async function applyClass(name: string, provider: string): Promise<void> {
    await scenario.seed.secret(name, login('p1'));
    const jmesPath = [{ path: 'password', objectAlias: `${name}-password` }];
    const object = { objectName: name, objectType: 'secretsmanager', jmesPath };
    const secret = {
      secretName: name,
      type: 'Opaque',
      labels: { environment: 'test' },
      data: [
        { objectName: `${name}-password`, key: 'password' },
        { objectName: name, key: 'login.json' },
      ],
    };
    await scenario.apply(secretProviderClass(name, [object], { provider, secretObjects: [secret] }));
  }

  async function passwordOf(name: string): Promise<string | undefined> {
    return (await scenario.secretOf(name))?.data['password'];
  }

  async function ownersOf(name: string): Promise<readonly string[] | undefined> {
    return (await scenario.secretOf(name))?.owners;
  }

  test.concurrent.for(BOTH_WAYS)(
    'has their content, and sets a variable of the same pod: %s',
    async ([, provider], { expect }) => {
      const name = `holds-${provider}`;
      await applyClass(name, provider);
      const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }];

      await scenario.startPods(scenario.pod(name, { classes: [name], env }));

      expect(await scenario.exec(name, 'sh', '-c', 'echo "$PASSWORD"')).toBe('p1\n');
      const secret = await scenario.secretOf(name);
      expect(secret?.type).toBe('Opaque');
      expect(secret?.labels).toEqual({ environment: 'test', 'secrets-store.csi.k8s.io/managed': 'true' });
      expect(secret?.data).toEqual({ password: 'p1', 'login.json': login('p1') });
    },
  );

  test.concurrent.for(BOTH_WAYS)('is updated by a rotation, like the file: %s', async ([, provider], { expect }) => {
    const name = `follows-${provider}`;
    await applyClass(name, provider);
    await scenario.startPods(scenario.pod(name, { classes: [name] }));
    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p1');

    await scenario.seed.secretVersion(name, login('p2'));

    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p2');
    expect(await scenario.exec(name, 'cat', `/mnt/${name}/${name}-password`)).toBe('p2');
  });

  test.concurrent.for(BOTH_WAYS)('is deleted with its pod: %s', async ([, provider], { expect }) => {
    const name = `goes-${provider}`;
    await applyClass(name, provider);
    await scenario.startPods(scenario.pod(name, { classes: [name] }));
    // The driver names the owner some seconds after it has made the Secret, which would stay if the pod went before.
    await expect.poll(() => ownersOf(name), PATIENCE).toEqual(['SecretProviderClassPodStatus']);

    await scenario.kubectl('delete', 'pod', name);

    await expect.poll(() => scenario.secretOf(name), PATIENCE).toBeUndefined();
  });

  test.concurrent.for(BOTH_WAYS)(
    'stays as long as one of two Deployments that share it: %s',
    async ([, provider], { expect }) => {
      const shared = `shared-${provider}`;
      const [one, two] = [`one-${provider}`, `two-${provider}`];
      await applyClass(shared, provider);
      await scenario.startPods(
        scenario.deployment(one, { classes: [shared] }),
        scenario.deployment(two, { classes: [shared] }),
      );

      await expect.poll(() => ownersOf(shared), PATIENCE).toEqual(['ReplicaSet', 'ReplicaSet']);
      await scenario.kubectl('delete', 'deployment', one);
      await expect.poll(() => ownersOf(shared), PATIENCE).toEqual(['ReplicaSet']);
      await scenario.kubectl('delete', 'deployment', two);
      await expect.poll(() => scenario.secretOf(shared), PATIENCE).toBeUndefined();
    },
  );

  test.concurrent('is created for each of two classes of a pod', async ({ expect }) => {
    const names = BOTH_WAYS.map(([, provider]) => `pair-${provider}`);
    for (const [, provider] of BOTH_WAYS) {
      await applyClass(`pair-${provider}`, provider);
    }

    await scenario.startPods(scenario.pod('pair', { classes: names }));

    for (const name of names) {
      await expect.poll(() => passwordOf(name), PATIENCE).toBe('p1');
      await expect.poll(() => ownersOf(name), PATIENCE).toHaveLength(1);
    }
  });
});

function login(password: string): string {
  return JSON.stringify({ user: 'app', password });
}
