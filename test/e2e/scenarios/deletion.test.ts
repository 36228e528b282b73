import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { BOTH_WAYS } from '../provider/facts.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { providerPod } from '../provider/provider-process.ts';
import { installRelease, PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 60_000, interval: 500 };

const cluster = await openCluster();

describe.runIf(cluster.owned)('of a deleted pod', () => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await openScenario(cluster, 'deletion');
  });

  afterAll(() => scenario[Symbol.asyncDispose]());

  async function startPod(name: string, provider: string): Promise<string> {
    await scenario.seed.secret(name, `value of ${name}`);
    const object = { objectName: name, objectType: 'secretsmanager' };
    await scenario.apply(secretProviderClass(name, [object], { provider }));
    await scenario.startPods(scenario.pod(name, { classes: [name] }));
    return scenario.kubectl('get', 'pod', name, '--output=jsonpath={.metadata.uid}');
  }

  test.for(BOTH_WAYS)('nothing remains on the node: %s', async ([, provider]) => {
    const name = `gone-${provider}`;
    const uid = await startPod(name, provider);
    const before = await tracesOf(name, uid);

    await scenario.kubectl('delete', 'pod', name, '--timeout=60s');

    await expect.poll(() => tracesOf(name, uid), PATIENCE).toEqual([]);
    expect(before).toContainEqual(expect.stringMatching(/^tmpfs .*kubernetes.io~csi/));
    expect(before).toContainEqual(expect.stringMatching(new RegExp(`/mount/\\.\\..+/${name}$`)));
  });

  test("nothing remains in the provider's view of the node", async () => {
    const { metadata } = await providerPod(cluster, 'aws-secrets-csi');
    const uid = await startPod('seen', 'aws');
    function mounts(): Promise<string> {
      const expression = "fs.readFileSync('/proc/1/mounts', 'utf8')";
      const container = ['exec', `--namespace=${PROVIDER_NAMESPACE}`, metadata.name, '--'];
      return cluster.kubectl([...container, '/proc/1/exe', '--print', expression]);
    }
    const before = await mounts();

    await scenario.kubectl('delete', 'pod', 'seen', '--timeout=60s');

    await expect.poll(mounts, PATIENCE).not.toContain(uid);
    expect(before).toContain(uid);
  });

  test('nothing remains although the provider has stopped', async () => {
    const values = { socketName: 'aws-leaving' };
    await using release = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-leaving', values);
    const uid = await startPod('outlasting', values.socketName);
    await release.uninstall();

    await scenario.kubectl('delete', 'pod', 'outlasting', '--timeout=60s');

    await expect.poll(() => tracesOf('outlasting', uid), PATIENCE).toEqual([]);
  });
});

/** Mounts and files below a pod's directory, and files anywhere in the kubelet's that hold its secret. */
async function tracesOf(name: string, uid: string): Promise<readonly string[]> {
  const script = `grep -F "$1" /proc/self/mounts
    find "/var/lib/kubelet/pods/$1" 2>/dev/null
    grep -rlF "value of $0" /var/lib/kubelet`;
  const found = await cluster.runInNode(['sh', '-c', `${script}; true`, name, uid]);
  return found.split('\n').filter((line) => line !== '');
}
