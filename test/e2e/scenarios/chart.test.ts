import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { providerPod } from '../provider/provider-process.ts';
import { installRelease, PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };
const KINDS = 'daemonsets,pods,serviceaccounts,configmaps,secrets,clusterroles,clusterrolebindings';
const OBJECTS = [{ objectName: 'db', objectType: 'secretsmanager' }];

const cluster = await openCluster();
let scenario: Scenario;

beforeAll(async () => {
  scenario = await openScenario(cluster, 'chart');
  await scenario.seed.secret('db', 'v0');
});

afterAll(() => scenario[Symbol.asyncDispose]());

/** All that is in the cluster of a release. */
async function objectsOf(release: string): Promise<readonly string[]> {
  const selector = `--selector=app.kubernetes.io/instance=${release}`;
  const listed = await cluster.kubectl(['get', KINDS, `--namespace=${PROVIDER_NAMESPACE}`, selector, '--output=name']);
  return listed.split('\n').filter((name) => name !== '');
}

function socketFolder(): Promise<string> {
  return cluster.runInNode(['ls', '-A', '/var/run/secrets-store-csi-providers']);
}

test('with awsRegion, classes that name no region use it, and the provider may not read nodes', async () => {
  const values = { socketName: 'aws-region', awsRegion: 'eu-west-1' };
  await (await scenario.aws.seed('eu-west-1')).secret('db', 'of eu-west-1');
  await using release = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-region', values);
  const regional = { parameters: { region: 'us-east-1' }, provider: 'aws-region' };
  await scenario.apply(
    secretProviderClass('default', OBJECTS, { provider: 'aws-region' }),
    secretProviderClass('named', OBJECTS, regional),
  );

  await scenario.startPods(scenario.pod('regional', { classes: ['default', 'named'] }));
  const rules = await cluster.kubectl(['get', 'clusterrole', release.name, '--output=jsonpath={.rules}']);

  expect(await scenario.filesOf('regional', 'default')).toEqual({ db: ['644', 'of eu-west-1'] });
  expect(await scenario.filesOf('regional', 'named')).toEqual({ db: ['644', 'v0'] });
  expect(JSON.parse(rules)).toEqual([{ apiGroups: [''], resources: ['serviceaccounts'], verbs: ['get'] }]);
});

describe('from installation to uninstallation', () => {
  test('the driver takes over writing, rotation continues, and only the files remain', async () => {
    const socketName = 'aws-changing';
    const provider = { provider: socketName };
    await scenario.apply(
      secretProviderClass('kept', OBJECTS, provider),
      secretProviderClass('later', OBJECTS, provider),
    );
    await using release = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-changing', { socketName });
    await scenario.startPods(scenario.pod('kept', { classes: ['kept'] }));
    const installed = await objectsOf(release.name);
    const { status } = await providerPod(cluster, release.name);

    await release.upgrade({ socketName, driverWritesSecrets: true });
    await scenario.startPods(scenario.pod('later', { classes: ['later'] }));
    const links = await scenario.exec('later', 'readlink', '/mnt/later/db');
    const before = [await scenario.filesOf('kept', 'kept'), await scenario.filesOf('later', 'later')];
    await scenario.seed.secretVersion('db', 'v1');
    await expect.poll(() => scenario.filesOf('kept', 'kept'), PATIENCE).toEqual({ db: ['644', 'v1'] });
    await expect.poll(() => scenario.filesOf('later', 'later'), PATIENCE).toEqual({ db: ['644', 'v1'] });
    const hostPaths = await cluster.kubectl([
      'get',
      `daemonset/${release.name}`,
      `--namespace=${PROVIDER_NAMESPACE}`,
      '--output=jsonpath={.spec.template.spec.volumes[*].hostPath.path}',
    ]);
    const oldFolders = await scenario.exec('kept', 'sh', '-c', 'ls -A /mnt/kept | grep -c "^\\.\\.[0-9]"');

    await release.uninstall();
    const uninstalled = await objectsOf(release.name);
    const after = await scenario.filesOf('kept', 'kept');
    await scenario.kubectl('delete', 'pod', 'kept', '--timeout=60s');

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
