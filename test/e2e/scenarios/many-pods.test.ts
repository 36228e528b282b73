import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { installRelease } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';
import { firstListing, listsFirst } from '../provider/with-container.ts';

const ACCOUNTS = ['red', 'green', 'blue'];
const PODS_EACH = 10;
/** The provider's own default for `rotationPollInterval`, which the suite shortens. */
const VALUES = { socketName: 'aws-many', rotationPollInterval: '' };

const cluster = await openCluster();
const resources = new AsyncDisposableStack();
let scenario: Scenario;

beforeAll(async () => {
  resources.use(await installRelease(cluster, inject('provider'), 'aws-secrets-csi-many', VALUES));
  scenario = resources.use(await openScenario(cluster, 'many-pods'));
  await Promise.all(ACCOUNTS.map((account) => scenario.addServiceAccount(account)));
  await scenario.seed.secret('db', 'p1');
  await scenario.seed.secret('token', 't0k3n');
  await scenario.seed.parameter('/app/url', 'https://example.com');
});

afterAll(() => resources.disposeAsync());

test(`${ACCOUNTS.length * PODS_EACH} pods that are created at once all start, and AWS is called once for each identity`, async () => {
  const objects = [
    { objectName: 'db', objectType: 'secretsmanager' },
    { objectName: 'token', objectType: 'secretsmanager' },
    { objectName: '/app/url', objectType: 'ssmparameter', objectAlias: 'url' },
  ];
  await scenario.apply(secretProviderClass('many', objects, { provider: VALUES.socketName }));
  const pods = ACCOUNTS.flatMap((serviceAccount) =>
    Array.from({ length: PODS_EACH }, (_, index) => ({ name: `${serviceAccount}-${index}`, serviceAccount })),
  );
  const started = performance.now();

  await scenario.startPods(
    ...pods.map(({ name, serviceAccount }) =>
      listsFirst(scenario.pod(name, { classes: ['many'], serviceAccount }), 'many'),
    ),
  );
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const { state } = scenario.aws.gate;
  const asked = ['sts', 'secretsmanager', 'ssm'].map((service) => state.count({ service }));
  console.log(
    `many pods: ${pods.length} ready in ${seconds} s; calls of STS, Secrets Manager, SSM: ${asked.join(', ')}`,
  );

  for (const { name } of pods) {
    expect(await firstListing(scenario, name)).toEqual({
      db: ['644', 'p1'],
      token: ['644', 't0k3n'],
      url: ['644', 'https://example.com'],
    });
  }
  const [sts, secretsManager, ssm] = asked;
  expect(sts).toBe(ACCOUNTS.length);
  expect(ssm).toBe(ACCOUNTS.length);
  // Two values each, and a try of the batch call, which the role does not allow.
  expect(secretsManager).toBeLessThanOrEqual(3 * ACCOUNTS.length);
});
