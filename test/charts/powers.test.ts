import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { CHART, runHelm } from '../../deploy/helm.ts';
import { configOf, HAS_HELM, HELM, podOf, readChartFile, render, type Values } from './chart.ts';

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
  'secrets-store.csi.x-k8s.io/secretproviderclasspodstatuses: list',
  '/events: create patch',
];
const TO_ROTATE = [...TO_FOLLOW, 'secrets-store.csi.x-k8s.io/secretproviderclasspodstatuses: get patch'];
const TO_SYNC = ['/secrets: get create patch delete'];
const TO_MAKE_TOKENS = ['/serviceaccounts/token: create'];
const TO_RESTART = [
  'apps/replicasets: get',
  'apps/deployments: get patch',
  'apps/statefulsets: get patch',
  'apps/daemonsets: get patch',
];

function powersOf(manifests: ReturnType<typeof render>): readonly string[] {
  const rules = manifests.filter(({ kind }) => kind === 'ClusterRole').flatMap((role) => role.rules ?? []);
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.map((resource) => `${group}/${resource}: ${verbs.join(' ')}`)),
  );
}

describe.skipIf(!HAS_HELM)('what the chart allows', () => {
  it.for<readonly [string, Values, readonly string[]]>([
    ['service accounts and nodes', {}, BY_DEFAULT],
    ['service accounts where the region is given', { awsRegion: 'eu-west-1' }, ['/serviceaccounts: get']],
    ['nodes where no role is looked up', { irsa: { enabled: false } }, ['/nodes: get']],
    ['nothing where neither is needed', { awsRegion: 'eu-west-1', irsa: { enabled: false } }, []],
    ['what rotation needs', ROTATION, [...BY_DEFAULT, ...TO_ROTATE]],
    ['what rotation with a queue needs', { ...ROTATION, rotationQueueUrl: QUEUE_URL }, [...BY_DEFAULT, ...TO_ROTATE]],
    ['what sync needs', SYNC, [...BY_DEFAULT, ...TO_FOLLOW, ...TO_SYNC]],
    [
      'what sync needs where the driver writes',
      { ...SYNC, driverWritesSecrets: true },
      [...BY_DEFAULT, ...TO_FOLLOW, ...TO_SYNC],
    ],
    ['what both need', { ...ROTATION, ...SYNC }, [...BY_DEFAULT, ...TO_ROTATE, ...TO_SYNC]],
    ['tokens', TOKENS, [...BY_DEFAULT, ...TO_MAKE_TOKENS]],
    ['tokens alone', { ...TOKENS, awsRegion: 'eu-west-1', irsa: { enabled: false } }, TO_MAKE_TOKENS],
    ['what restarts need', RESTART, [...BY_DEFAULT, ...TO_ROTATE, ...TO_RESTART]],
    [
      'all of it',
      { ...RESTART, ...SYNC, ...TOKENS },
      [...BY_DEFAULT, ...TO_ROTATE, ...TO_SYNC, ...TO_MAKE_TOKENS, ...TO_RESTART],
    ],
  ])('is %s, and nothing else', ([, values, powers]) => {
    const manifests = render(values);

    expect(powersOf(manifests)).toEqual(powers);
    expect(manifests.filter(({ kind }) => kind === 'ClusterRoleBinding')).toHaveLength(powers.length > 0 ? 1 : 0);
    expect(podOf(manifests).automountServiceAccountToken).toBe(powers.length > 0);
  });

  it('is explained, rule by rule', () => {
    const rules = readChartFile('templates/_helpers.tpl').match(/^(.*)\n- apiGroups:/gm) ?? [];

    expect(rules.length).toBeGreaterThan(8);
    expect(rules.filter((rule) => !/^# .+\.\n/.test(rule))).toEqual([]);
  });

  it('is what the daemon is told to use', () => {
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

  it('is used by no daemon that is not told to', () => {
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
  ])('is refused where it cannot work: %j', ([values, message]) => {
    expect(() => render(values)).toThrow(message);
  });

  it.for<readonly [string, Values, readonly string[]]>([
    ['nothing of tokens and Secrets by default', {}, []],
    ['of tokens', ROTATION, ['tokenRequest.enabled=true']],
    ['nothing of tokens where they are made', { ...ROTATION, ...TOKENS }, []],
    ['of the one who is to make Secrets', SYNC, ['syncSecret.enabled=false']],
  ])('is spoken of after an install: %s', ([, values, says]) => {
    const { ok, stdout } = runHelm(HELM, ['install', 'prod', CHART, '--dry-run=client'], stringify(values));

    const notes = stdout.slice(stdout.indexOf('NOTES:'));
    expect(ok).toBe(true);
    expect(['tokenRequest.enabled=true', 'syncSecret.enabled=false'].filter((text) => notes.includes(text))).toEqual(
      says,
    );
  });
});
