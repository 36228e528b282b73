import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startPodIdentityAgent } from '../../fakes/aws/pod-identity-agent.ts';
import { openCluster } from '../cluster/cluster.ts';
import { type Relay, relay } from '../cluster/relay.ts';
import { secretProviderClass } from '../provider/objects.ts';
import { installRelease, PROVIDER_NAMESPACE } from '../provider/release.ts';
import { openScenario, type Scenario } from '../provider/scenario.ts';

const IPV4 = '169.254.170.23';
const IPV6 = 'fd00:ec2::23';
const OBJECTS = [
  { objectName: 'db', objectType: 'secretsmanager' },
  { objectName: '/app/url', objectType: 'ssmparameter' },
];
const FILES = { db: ['644', 'p1'], _app_url: ['644', 'https://example.com'] };

const cluster = await openCluster();

// The agent's addresses are the node's own; on an existing cluster they may be in use.
describe.runIf(cluster.owned)('EKS Pod Identity', () => {
  const resources = new AsyncDisposableStack();
  const associations = new Map<string, string>();
  let scenario: Scenario;
  let ipv4: Relay;

  beforeAll(async () => {
    scenario = resources.use(await openScenario(cluster, 'pod-identity'));
    await scenario.seed.secret('db', 'p1');
    await scenario.seed.parameter('/app/url', 'https://example.com');
    const role = scenario.aws.addRole('by-association', []);
    associations.set(`${scenario.namespace}/plain`, role);
    for (const name of ['plain', 'forgotten']) {
      await scenario.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } });
    }
    ipv4 = await startAgent('127.0.0.1', IPV4);
  });

  afterAll(() => resources.disposeAsync());

  async function startAgent(host: '127.0.0.1' | '::1', at: string): Promise<Relay> {
    const { motoUrl } = inject('provider');
    const gate = scenario.aws.gate.state;
    const agent = resources.use(await startPodIdentityAgent({ motoUrl, gate, associations, host }));
    return resources.use(await relay({ host: at, port: 80 }, { host, port: Number(new URL(agent.url).port) }));
  }

  test('a pod reads what its association allows, without an annotation and without STS', async () => {
    await scenario.apply(classOf('associated', 'aws'));

    await scenario.startPods(scenario.pod('associated', { classes: ['associated'], serviceAccount: 'plain' }));

    expect(await scenario.filesOf('associated', 'associated')).toEqual(FILES);
    expect(scenario.aws.gate.state.count({ service: 'sts' })).toBe(0);
    expect(new Set(scenario.aws.gate.state.calls.map(({ role }) => role?.split('/').at(-1)))).toEqual(
      new Set(['by-association']),
    );
  });

  test('a pod of a service account without an association gets an event', async () => {
    await scenario.apply(scenario.pod('forgotten', { classes: ['associated'], serviceAccount: 'forgotten' }));

    const message = await scenario.mountFailure('forgotten', 'Pod Identity');

    expect(message).toContain('No association found');
    expect(message).toContain('create a Pod Identity association');
    expect(message).toContain(`${scenario.namespace}/forgotten`);
  });

  test('a provider only for Pod Identity has no access to the API server', async () => {
    const values = { socketName: 'aws-associated', irsa: { enabled: false }, awsRegion: 'us-east-1' };
    await using release = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-associated', values);
    const selector = `--selector=app.kubernetes.io/instance=${release.name}`;
    const inContainer = ['exec', `--namespace=${PROVIDER_NAMESPACE}`, `daemonset/${release.name}`, '--'];
    await scenario.apply(classOf('no-api', values.socketName, { preferredAddressType: 'ipv4' }));

    await scenario.startPods(scenario.pod('no-api', { classes: ['no-api'], serviceAccount: 'plain' }));
    const roles = await cluster.kubectl(['get', 'clusterroles,clusterrolebindings', selector, '--output=name']);
    const token = await cluster.kubectl([
      ...inContainer,
      '/proc/1/exe',
      '--print',
      "fs.existsSync('/var/run/secrets')",
    ]);

    expect(await scenario.filesOf('no-api', 'no-api')).toEqual(FILES);
    expect(roles).toBe('');
    expect(token.trim()).toBe('false');
  });

  test("an agent that responds only over IPv6 is found from the host's network", async () => {
    ipv4[Symbol.dispose]();
    await startAgent('::1', IPV6);
    const values = { socketName: 'aws-host', hostNetwork: true };
    await using _ = await installRelease(cluster, inject('provider'), 'aws-secrets-csi-host', values);
    await scenario.apply(classOf('ipv6', values.socketName));

    await scenario.startPods(scenario.pod('ipv6', { classes: ['ipv6'], serviceAccount: 'plain' }));

    expect(await scenario.filesOf('ipv6', 'ipv6')).toEqual(FILES);
  });
});

function classOf(name: string, provider: string, parameters = {}): object {
  return secretProviderClass(name, OBJECTS, { provider, parameters: { usePodIdentity: 'true', ...parameters } });
}
