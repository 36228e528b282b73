import { afterAll, beforeAll, expect, test } from 'vitest';
import { openCluster } from '../cluster/cluster.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const cluster = await openCluster();
let scenario: Scenario;
let provider: ProviderPod;

interface ProviderPod {
  readonly metadata: { readonly name: string; readonly ownerReferences: readonly { readonly kind: string }[] };
  readonly spec: {
    readonly volumes: readonly { readonly hostPath?: { readonly path: string } }[];
    readonly containers: readonly { readonly securityContext: object }[];
  };
  readonly status: { readonly containerStatuses: readonly { readonly ready: boolean }[] };
}

beforeAll(async () => {
  scenario = await openScenario(cluster, 'provider');
  const selector = '--selector=app.kubernetes.io/instance=aws-secrets-csi';
  const pods = await cluster.get('pods', `--namespace=${PROVIDER_NAMESPACE}`, selector);
  [provider] = (pods as { items: [ProviderPod] }).items;
});

afterAll(() => scenario[Symbol.asyncDispose]());

test('runs as the pod of a DaemonSet', () => {
  expect(provider.metadata.ownerReferences).toMatchObject([{ kind: 'DaemonSet' }]);
  expect(provider.status.containerStatuses).toMatchObject([{ ready: true }]);
});

test('sees only two directories of the node', () => {
  const hostPaths = provider.spec.volumes.flatMap(({ hostPath }) => hostPath?.path ?? []);

  expect(hostPaths.toSorted()).toEqual(['/var/lib/kubelet/pods', '/var/run/secrets-store-csi-providers']);
});

test('has no capability, gets none, and cannot write to its own file system', async () => {
  const status = await inProvider("fs.readFileSync('/proc/1/status', 'utf8')");
  const written = inProvider("fs.writeFileSync('/written', '')");

  expect(provider.spec.containers[0]?.securityContext).toMatchObject({ privileged: false });
  expect(status).toMatch(/^CapPrm:\t0{16}\nCapEff:\t0{16}\nCapBnd:\t0{16}$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  expect(status).toMatch(/^Seccomp:\t2$/m);
  await expect(written).rejects.toThrow('EROFS');
});

test.for(['livez', 'readyz'])('answers %s', async (path) => {
  const url = `/api/v1/namespaces/${PROVIDER_NAMESPACE}/pods/${provider.metadata.name}:8989/proxy/${path}`;

  await expect(cluster.kubectl(['get', '--raw', url])).resolves.toMatch(/ok/i);
});

test.runIf(cluster.owned)("listens on the driver's path, for root only", async () => {
  const socket = '/var/run/secrets-store-csi-providers/aws.sock';

  const described = await cluster.runInNode(['stat', '--format=%F %a %U', socket]);

  expect(described.trim()).toMatch(/^socket .00 root$/);
});

test('may read service accounts and nodes, and no Secret, pod or token', async () => {
  const account = `--as=system:serviceaccount:${PROVIDER_NAMESPACE}:aws-secrets-csi`;
  async function may(verb: string, resource: string): Promise<boolean> {
    const answer = cluster.kubectl(['auth', 'can-i', verb, resource, '--all-namespaces', account]);
    return answer.then(
      (said) => said.trim() === 'yes',
      () => false,
    );
  }

  expect(await may('get', 'serviceaccounts')).toBe(true);
  expect(await may('get', 'nodes')).toBe(true);
  for (const [verb, resource] of [
    ['get', 'secrets'],
    ['list', 'serviceaccounts'],
    ['create', 'serviceaccounts/token'],
    ['get', 'pods'],
  ] as const) {
    expect(await may(verb, resource)).toBe(false);
  }
});

test("mounts a first secret, in the node's region if the class names none", async () => {
  await scenario.seed.secret('first', 'p4ssw0rd');
  const objects = [{ objectName: 'first', objectType: 'secretsmanager' }];
  await scenario.apply(secretProviderClass('first', objects));

  await scenario.startPods(scenario.pod('app', { classes: ['first'] }));

  expect(await scenario.filesOf('app', 'first')).toEqual({ first: ['644', 'p4ssw0rd'] });
});

/** What an expression comes to in a further process of the provider's container, by the very program that runs there. */
function inProvider(expression: string): Promise<string> {
  const container = ['exec', `--namespace=${PROVIDER_NAMESPACE}`, provider.metadata.name, '--'];
  return cluster.kubectl([...container, '/proc/1/exe', '--print', expression]);
}
