import { afterAll, beforeAll, describe, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { openStory, type Story } from '../provider/story.ts';

/** The driver sees to owners every 5 s, the kubelet to volumes every 10 to 15 s. */
const PATIENCE = { timeout: 60_000, interval: 500 };

interface Secret {
  readonly type: string;
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
  };
  readonly data: Readonly<Record<string, string>>;
}

const cluster = await openCluster();

// On a cluster you have, it is for you to give the driver syncSecret.enabled.
describe.runIf(cluster.owned)('a Secret that the driver makes of the files', () => {
  let story: Story;

  beforeAll(async () => {
    story = await openStory(cluster, 'secret-sync');
    await cluster.restartDriver({ syncSecret: true });
  });

  afterAll(async () => {
    await story[Symbol.asyncDispose]();
    await cluster.restartDriver();
  });

  /** A class whose files become keys of a Secret of its name. */
  async function applyClass(name: string, provider: string): Promise<void> {
    await story.seed.secret(name, login('p1'));
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
    await story.apply(secretProviderClass(name, [object], { provider, secretObjects: [secret] }));
  }

  async function secretOf(name: string): Promise<Secret> {
    return JSON.parse(await story.kubectl('get', 'secret', name, '--output=json'));
  }

  async function passwordOf(name: string): Promise<string> {
    return Buffer.from((await secretOf(name)).data['password'] ?? '', 'base64').toString();
  }

  async function ownersOf(name: string): Promise<readonly string[]> {
    return ((await secretOf(name)).metadata.ownerReferences ?? []).map(({ kind }) => kind);
  }

  async function isGone(name: string): Promise<boolean> {
    return (await story.kubectl('get', 'secret', name, '--ignore-not-found', '--output=name')) === '';
  }

  test.concurrent.for(BOTH_WAYS)(
    'holds what they hold, and feeds a variable of the very pod: %s',
    async ([, provider], { expect }) => {
      const name = `holds-${provider}`;
      await applyClass(name, provider);
      const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name, key: 'password' } } }];

      await story.startPods(story.pod(name, { classes: [name], env }));

      const { type, metadata, data } = await secretOf(name);
      expect(await story.exec(name, 'sh', '-c', 'echo "$PASSWORD"')).toBe('p1\n');
      expect(type).toBe('Opaque');
      expect(metadata.labels).toEqual({ environment: 'test', 'secrets-store.csi.k8s.io/managed': 'true' });
      expect(data).toEqual({ password: base64('p1'), 'login.json': base64(login('p1')) });
    },
  );

  test.concurrent.for(BOTH_WAYS)('follows a rotation, as the file does: %s', async ([, provider], { expect }) => {
    const name = `follows-${provider}`;
    await applyClass(name, provider);
    await story.startPods(story.pod(name, { classes: [name] }));
    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p1');

    await story.seed.secretVersion(name, login('p2'));

    await expect.poll(() => passwordOf(name), PATIENCE).toBe('p2');
    expect(await story.exec(name, 'cat', `/mnt/${name}/${name}-password`)).toBe('p2');
  });

  test.concurrent.for(BOTH_WAYS)('goes with its pod: %s', async ([, provider], { expect }) => {
    const name = `goes-${provider}`;
    await applyClass(name, provider);
    await story.startPods(story.pod(name, { classes: [name] }));
    // The driver names the owner some seconds after it has made the Secret, which would stay if the pod went before.
    await expect.poll(() => ownersOf(name), PATIENCE).toEqual(['SecretProviderClassPodStatus']);

    await story.kubectl('delete', 'pod', name);

    await expect.poll(() => isGone(name), PATIENCE).toBe(true);
  });

  test.concurrent.for(BOTH_WAYS)(
    'stays as long as one of two Deployments that share it: %s',
    async ([, provider], { expect }) => {
      const shared = `shared-${provider}`;
      const [one, two] = [`one-${provider}`, `two-${provider}`];
      await applyClass(shared, provider);
      await story.startPods(story.deployment(one, { classes: [shared] }), story.deployment(two, { classes: [shared] }));

      await expect.poll(() => ownersOf(shared), PATIENCE).toEqual(['ReplicaSet', 'ReplicaSet']);
      await story.kubectl('delete', 'deployment', one);
      await expect.poll(() => ownersOf(shared), PATIENCE).toEqual(['ReplicaSet']);
      await story.kubectl('delete', 'deployment', two);
      await expect.poll(() => isGone(shared), PATIENCE).toBe(true);
    },
  );

  test.concurrent('is made for each of two classes of a pod', async ({ expect }) => {
    const names = BOTH_WAYS.map(([, provider]) => `pair-${provider}`);
    for (const [, provider] of BOTH_WAYS) {
      await applyClass(`pair-${provider}`, provider);
    }

    await story.startPods(story.pod('pair', { classes: names }));

    for (const name of names) {
      await expect.poll(() => passwordOf(name), PATIENCE).toBe('p1');
      await expect.poll(() => ownersOf(name), PATIENCE).toHaveLength(1);
    }
  });
});

function login(password: string): string {
  return JSON.stringify({ user: 'app', password });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
