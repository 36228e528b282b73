import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { ALL_FEATURES_VALUES } from '../provider/facts.ts';
import { secretProviderClass, workload } from '../provider/objects.ts';
import { providerPod } from '../provider/provider-process.ts';
import { installRelease, PROVIDER_NAMESPACE, type Release } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const PATIENCE = { timeout: 90_000, interval: 500 };
const SOCKET_NAME = 'aws-bounded';
const REFUSAL = /ValidatingAdmissionPolicy .* denied request/;

const cluster = await openCluster();

describe.runIf(cluster.owned)('with admissionPolicies.enabled', () => {
  const resources = new AsyncDisposableStack();
  let scenario: Scenario;
  let release: Release;

  beforeAll(async () => {
    // Tokens come with first mounts only; all newer ones are of the provider's own request.
    await cluster.restartDriver({ rotation: false });
    resources.defer(() => cluster.restartDriver());
    const values = { ...ALL_FEATURES_VALUES, socketName: SOCKET_NAME, admissionPolicies: { enabled: true } };
    release = resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-bounded', values));
    scenario = resources.use(await openScenario(cluster, 'admission'));
    await scenario.seed.secret('login', 'p1');
    const object = { objectName: 'login', objectType: 'secretsmanager', objectAlias: 'password' };
    const secret = { secretName: 'login', type: 'Opaque', data: [{ objectName: 'password', key: 'password' }] };
    await scenario.apply(secretProviderClass('login', [object], { provider: SOCKET_NAME, secretObjects: [secret] }));
  });

  afterAll(() => resources.disposeAsync());

  /** As the provider's service account. */
  function asProvider(...args: readonly string[]): Promise<string> {
    return scenario.kubectl(...args, `--as=system:serviceaccount:${PROVIDER_NAMESPACE}:${release.name}`);
  }

  test('a rotation reaches files, Secret and workload of a provider that has to request tokens', async () => {
    const annotations = { 'aws-secrets-csi/restart-on-rotation': 'true' };
    const web = workload('Deployment', scenario.pod('web', { classes: ['login'] }), { annotations });
    await scenario.startPods(web, scenario.pod('plain', { classes: ['login'] }));
    await expect.poll(async () => (await scenario.secretOf('login'))?.data, PATIENCE).toEqual({ password: 'p1' });
    const before = await providerPod(cluster, release.name);
    await cluster.kubectl(['delete', 'pod', before.metadata.name, `--namespace=${PROVIDER_NAMESPACE}`]);

    await scenario.seed.secretVersion('login', 'p2');

    await expect.poll(() => scenario.filesOf('plain', 'login'), PATIENCE).toEqual({ password: ['644', 'p2'] });
    await expect.poll(async () => (await scenario.secretOf('login'))?.data, PATIENCE).toEqual({ password: 'p2' });
    await expect
      .poll(
        () => scenario.kubectl('get', 'events', '--field-selector=reason=WorkloadRestarted', '--output=name'),
        PATIENCE,
      )
      .not.toBe('');
    await scenario.kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await scenario.kubectl('delete', 'deployment/web', 'pod/plain');
    await expect.poll(() => scenario.secretOf('login'), PATIENCE).toBeUndefined();
  });

  test('its service account can change no Secret and no workload of others, and gets no other token', async () => {
    await scenario.kubectl('create', 'secret', 'generic', 'theirs', '--from-literal=password=theirs');
    await scenario.apply(workload('Deployment', scenario.pod('idle', { classes: [] })));
    const attempts = [
      ['delete', 'secret', 'theirs'],
      ['label', 'secret', 'theirs', 'secrets-store.csi.k8s.io/managed=true'],
      ['create', 'secret', 'generic', 'more', '--from-literal=password=more'],
      ['annotate', 'deployment', 'idle', 'aws-secrets-csi/restart-on-rotation=true'],
      ['set', 'image', 'deployment/idle', 'app=evil.example/miner'],
      ['create', 'token', 'app'],
      ['create', 'token', 'app', '--audience=sts.amazonaws.com'],
    ];

    for (const attempt of attempts) {
      await expect(asProvider(...attempt)).rejects.toThrow(REFUSAL);
    }
  });
});
