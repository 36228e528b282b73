import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { providerPod } from '../provider/provider-process.ts';
import { installRelease, PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openStory, type Story } from '../provider/story.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };
const KINDS = 'daemonsets,pods,serviceaccounts,configmaps,secrets,clusterroles,clusterrolebindings';
const OBJECTS = [{ objectName: 'db', objectType: 'secretsmanager' }];

const cluster = await openCluster();
let story: Story;

beforeAll(async () => {
  story = await openStory(cluster, 'chart');
  await story.seed.secret('db', 'v0');
});

afterAll(() => story[Symbol.asyncDispose]());

/** All that is in the cluster of a release. */
async function objectsOf(release: string): Promise<readonly string[]> {
  const selector = `--selector=app.kubernetes.io/instance=${release}`;
  const listed = await cluster.kubectl(['get', KINDS, `--namespace=${PROVIDER_NAMESPACE}`, selector, '--output=name']);
  return listed.split('\n').filter((name) => name !== '');
}

function socketFolder(): Promise<string> {
  return cluster.runInNode(['ls', '-A', '/var/run/secrets-store-csi-providers']);
}

test('with awsRegion, classes that name no region get that one, and the provider may not read nodes', async () => {
  const values = { socketName: 'aws-region', awsRegion: 'eu-west-1' };
  await (await story.aws.seed('eu-west-1')).secret('db', 'of eu-west-1');
  await using release = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-region', values);
  const regional = { parameters: { region: 'us-east-1' }, provider: 'aws-region' };
  await story.apply(
    secretProviderClass('default', OBJECTS, { provider: 'aws-region' }),
    secretProviderClass('named', OBJECTS, regional),
  );

  await story.startPods(story.pod('regional', { classes: ['default', 'named'] }));
  const rules = await cluster.kubectl(['get', 'clusterrole', release.name, '--output=jsonpath={.rules}']);

  expect(await story.filesOf('regional', 'default')).toEqual({ db: ['644', 'of eu-west-1'] });
  expect(await story.filesOf('regional', 'named')).toEqual({ db: ['644', 'v0'] });
  expect(JSON.parse(rules)).toEqual([{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'] }]);
});

describe('from installation to uninstallation', () => {
  test('the driver takes over the writing, rotation goes on, and nothing stays but the files', async () => {
    const socketName = 'aws-changing';
    const provider = { provider: socketName };
    await story.apply(secretProviderClass('kept', OBJECTS, provider), secretProviderClass('later', OBJECTS, provider));
    await using release = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-changing', { socketName });
    await story.startPods(story.pod('kept', { classes: ['kept'] }));
    const installed = await objectsOf(release.name);
    const { status } = await providerPod(cluster, release.name);

    await release.upgrade({ socketName, driverWritesSecrets: true });
    await story.startPods(story.pod('later', { classes: ['later'] }));
    const links = await story.exec('later', 'readlink', '/mnt/later/db');
    const before = [await story.filesOf('kept', 'kept'), await story.filesOf('later', 'later')];
    await story.seed.secretVersion('db', 'v1');
    await expect.poll(() => story.filesOf('kept', 'kept'), PATIENCE).toEqual({ db: ['644', 'v1'] });
    await expect.poll(() => story.filesOf('later', 'later'), PATIENCE).toEqual({ db: ['644', 'v1'] });
    const hostPaths = await cluster.kubectl([
      'get',
      `daemonset/${release.name}`,
      `--namespace=${PROVIDER_NAMESPACE}`,
      '--output=jsonpath={.spec.template.spec.volumes[*].hostPath.path}',
    ]);
    const oldFolders = await story.exec('kept', 'sh', '-c', 'ls -A /mnt/kept | grep -c "^\\.\\.[0-9]"');

    await release.uninstall();
    const uninstalled = await objectsOf(release.name);
    const after = await story.filesOf('kept', 'kept');
    await story.kubectl('delete', 'pod', 'kept', '--timeout=60s');

    expect(installed).toHaveLength(5);
    expect(status.containerStatuses).toMatchObject([{ ready: true, restartCount: 0 }]);
    expect(links.trim()).toBe('..data/db');
    expect(before).toEqual([{ db: ['644', 'v0'] }, { db: ['644', 'v0'] }]);
    expect(hostPaths).toBe('/var/run/secrets-store-csi-providers');
    expect(oldFolders.trim()).toBe('1');
    expect(uninstalled).toEqual([]);
    expect(after).toEqual({ db: ['644', 'v1'] });
  });

  test.runIf(cluster.owned)('leaves no socket on the node', async () => {
    const found = await socketFolder();

    expect(found).toContain('aws.sock');
    expect(found).not.toMatch(/aws-changing|aws-region/);
  });
});
