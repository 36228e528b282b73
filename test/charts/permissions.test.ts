import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { CHART, runHelm } from '../../deploy/helm.ts';
import { configOf, HAS_HELM, HELM, type Manifest, podOf, readChartFile, render, type Values } from './chart.ts';

const ROTATION: Values = { enableSecretRotation: true };
const SYNC: Values = { syncSecret: { enabled: true } };
const TOKENS: Values = { tokenRequest: { enabled: true } };
const RESTART: Values = { ...ROTATION, restartOnRotation: { enabled: true } };
const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/111122223333/secret-changes';

/** `group/resource: verbs`, for all that the ClusterRole allows. */
const BY_DEFAULT = ['/serviceaccounts: get', '/nodes: get'];
const TO_FOLLOW = [
  '/pods: get list',
  'secrets-store.csi.x-k8s.io/secretproviderclasses: get',
  'secrets-store.csi.x-k8s.io/secretproviderclasspodstatuses: get',
  '/events: create patch',
];
const TO_ROTATE = [...TO_FOLLOW, 'secrets-store.csi.x-k8s.io/secretproviderclasspodstatuses: patch'];
const TO_SYNC = ['/secrets: get create patch delete'];
const TO_MAKE_TOKENS = ['/serviceaccounts/token: create'];
const TO_KNOW_OWNERS = ['apps/replicasets: get', 'apps/statefulsets: get', 'apps/daemonsets: get'];
const TO_RESTART = [
  'apps/replicasets: get',
  'apps/deployments: get patch',
  'apps/statefulsets: get patch',
  'apps/daemonsets: get patch',
];

const OWN_EVENTS = ['/events: create patch'];

function rulesOf(manifests: readonly Manifest[], kind: 'ClusterRole' | 'Role', namespace?: string): readonly string[] {
  const roles = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.namespace === namespace);
  const rules = roles.flatMap((role) => role.rules ?? []);
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}: ${verbs.join(' ')}`)),
  );
}

describe.skipIf(!HAS_HELM)('the permissions that the chart grants', () => {
  it.for<readonly [string, Values, readonly string[]]>([
    ['service accounts and nodes', {}, BY_DEFAULT],
    ['service accounts where the region is given', { awsRegion: 'eu-west-1' }, ['/serviceaccounts: get']],
    ['nodes where no role is looked up', { irsa: { enabled: false } }, ['/nodes: get']],
    ['nothing where neither is needed', { awsRegion: 'eu-west-1', irsa: { enabled: false } }, []],
    ['what rotation needs', ROTATION, [...BY_DEFAULT, ...TO_ROTATE]],
    ['what rotation with a queue needs', { ...ROTATION, rotationQueueUrl: QUEUE_URL }, [...BY_DEFAULT, ...TO_ROTATE]],
    ['what sync needs', SYNC, [...BY_DEFAULT, ...TO_FOLLOW, ...TO_SYNC, ...TO_KNOW_OWNERS]],
    [
      'what sync needs where the driver writes',
      { ...SYNC, driverWritesSecrets: true },
      [...BY_DEFAULT, ...TO_FOLLOW, ...TO_SYNC, ...TO_KNOW_OWNERS],
    ],
    ['what both need', { ...ROTATION, ...SYNC }, [...BY_DEFAULT, ...TO_ROTATE, ...TO_SYNC, ...TO_KNOW_OWNERS]],
    ['tokens', TOKENS, [...BY_DEFAULT, ...TO_MAKE_TOKENS]],
    ['tokens alone', { ...TOKENS, awsRegion: 'eu-west-1', irsa: { enabled: false } }, TO_MAKE_TOKENS],
    ['what restarts need', RESTART, [...BY_DEFAULT, ...TO_ROTATE, ...TO_RESTART]],
    [
      'all of it',
      { ...RESTART, ...SYNC, ...TOKENS },
      [...BY_DEFAULT, ...TO_ROTATE, ...TO_SYNC, ...TO_MAKE_TOKENS, ...TO_RESTART],
    ],
  ])('are %s, and nothing else', ([, values, rules]) => {
    const manifests = render(values);

    expect(rulesOf(manifests, 'ClusterRole').toSorted()).toEqual(rules.toSorted());
    expect(manifests.filter(({ kind }) => kind === 'ClusterRoleBinding')).toHaveLength(rules.length > 0 ? 1 : 0);
    expect(podOf(manifests).automountServiceAccountToken).toBe(rules.length > 0);
  });

  it('are limited to the given namespaces, except for nodes and pods', () => {
    const namespaces = ['shop', 'bank'];
    const everything = { ...RESTART, ...SYNC, ...TOKENS };
    const inAll = rulesOf(render(everything), 'ClusterRole');

    const manifests = render({ ...everything, namespaces });

    const inCluster = rulesOf(manifests, 'ClusterRole');
    expect(inCluster.toSorted()).toEqual(['/nodes: get', '/pods: get list']);
    for (const namespace of namespaces) {
      expect(rulesOf(manifests, 'Role', namespace).toSorted()).toEqual(
        inAll.filter((power) => !inCluster.includes(power)).toSorted(),
      );
      const bindings = manifests.filter(
        ({ kind, metadata }) => kind === 'RoleBinding' && metadata.namespace === namespace,
      );
      expect(bindings).toMatchObject([{ subjects: [{ name: 'aws-secrets-csi', namespace: 'kube-system' }] }]);
    }
  });

  it('need no ClusterRole with given namespaces, without rotation, and with a region', () => {
    const manifests = render({ awsRegion: 'eu-west-1', namespaces: ['shop'] });

    expect(rulesOf(manifests, 'ClusterRole')).toEqual([]);
    expect(rulesOf(manifests, 'Role', 'kube-system')).toEqual(OWN_EVENTS);
    expect(rulesOf(manifests, 'Role', 'shop')).toEqual(['/serviceaccounts: get']);
    expect(podOf(manifests).automountServiceAccountToken).toBe(true);
  });

  it.for<readonly [string, Values, readonly string[]]>([
    ['in the namespace of the release', {}, OWN_EVENTS],
    ['there beside Roles elsewhere', { ...ROTATION, namespaces: ['shop'] }, OWN_EVENTS],
    [
      'there beside what pods of it need',
      { awsRegion: 'eu-west-1', namespaces: ['kube-system'] },
      ['/serviceaccounts: get', ...OWN_EVENTS],
    ],
    ['everywhere with rotation', ROTATION, []],
    ['nowhere without a token for the API server', { awsRegion: 'eu-west-1', irsa: { enabled: false } }, []],
  ])('let the provider write Events of its own pod %s', ([, values, rules]) => {
    expect(rulesOf(render(values), 'Role', 'kube-system')).toEqual(rules);
  });

  it('are limited by admission policies only if they are enabled', () => {
    const values = { admissionPolicies: { enabled: true }, rbac: { serviceAccountName: 'mine' } };
    const [none, policies] = [{}, values].map((some) =>
      render(some).filter(({ kind }) => kind === 'ValidatingAdmissionPolicy'),
    );

    expect(none).toEqual([]);
    expect(policies).toHaveLength(4);
    for (const { spec } of policies ?? []) {
      expect(spec).toMatchObject({
        failurePolicy: 'Fail',
        matchConditions: [{ expression: "request.userInfo.username == 'system:serviceaccount:kube-system:mine'" }],
      });
    }
  });

  it('are not limited by policies on a cluster that is too old for them', () => {
    const values = stringify({ admissionPolicies: { enabled: true } });

    const { ok, stderr } = runHelm(HELM, ['template', CHART, '--kube-version=1.29.9', '--generate-name'], values);

    expect(ok).toBe(false);
    expect(stderr).toContain('admissionPolicies.enabled needs Kubernetes 1.30 or newer');
  });

  it('are explained, rule by rule', () => {
    const rules = readChartFile('templates/_helpers.tpl').match(/^(.*)\n- apiGroups:/gm) ?? [];

    expect(rules.length).toBeGreaterThan(8);
    expect(rules.filter((rule) => !/^# .+\.\n/.test(rule))).toEqual([]);
  });

  it('are those that the daemon is configured to use', () => {
    const restartOnRotation = { enabled: true, minInterval: '10m' };

    const config = configOf(
      podOf(render({ ...ROTATION, ...SYNC, ...TOKENS, restartOnRotation, rotationQueueUrl: QUEUE_URL })),
    );

    expect(config).toMatchObject({
      rotation: { enabled: true, queueUrl: QUEUE_URL },
      syncSecret: true,
      tokenRequest: true,
      restart: { enabled: true, minIntervalMs: 600_000 },
      kube: { nodeName: 'node-1' },
    });
  });

  it('are used by no daemon that is not configured to', () => {
    const config = configOf(podOf(render()));

    expect(config).toMatchObject({
      rotation: { enabled: false },
      syncSecret: false,
      tokenRequest: false,
      restart: { enabled: false },
    });
    expect(config.rotation).not.toHaveProperty('queueUrl');
  });

  it.for<readonly [Values, string]>([
    [{ restartOnRotation: { enabled: true } }, 'restartOnRotation.enabled needs enableSecretRotation: true'],
    [{ rotationQueueUrl: QUEUE_URL }, 'rotationQueueUrl needs enableSecretRotation: true'],
    [{ enableSecretRotation: 'sometimes' }, "'/enableSecretRotation'"],
    [{ rotationQueueUrl: 'secret-changes' }, "'/rotationQueueUrl'"],
    [{ syncSecret: true }, "'/syncSecret'"],
    [{ syncSecret: { enable: true } }, "'/syncSecret'"],
    [{ tokenRequest: { enabled: 'true' } }, "'/tokenRequest/enabled'"],
    [{ restartOnRotation: { minInterval: '5 minutes' } }, "'/restartOnRotation/minInterval'"],
    [{ endpoints: { sqs: 'sqs.example' } }, "'/endpoints/sqs'"],
    [{ namespaces: ['Shop'] }, "'/namespaces/0'"],
    [{ namespaces: 'shop' }, "'/namespaces'"],
    [{ admissionPolicies: true }, "'/admissionPolicies'"],
  ])('are refused if they cannot work: %j', ([values, message]) => {
    expect(() => render(values)).toThrow(message);
  });

  it.for<readonly [string, Values, readonly string[]]>([
    ['nothing of tokens and Secrets by default', {}, []],
    ['of tokens', ROTATION, ['tokenRequest.enabled=true']],
    ['nothing of tokens where they are made', { ...ROTATION, ...TOKENS }, []],
    ['of the one who is to make Secrets', SYNC, ['syncSecret.enabled=false']],
  ])('are explained after an install: %s', ([, values, says]) => {
    const { ok, stdout } = runHelm(HELM, ['install', 'prod', CHART, '--dry-run=client'], stringify(values));

    const notes = stdout.slice(stdout.indexOf('NOTES:'));
    expect(ok).toBe(true);
    expect(['tokenRequest.enabled=true', 'syncSecret.enabled=false'].filter((text) => notes.includes(text))).toEqual(
      says,
    );
  });
});
