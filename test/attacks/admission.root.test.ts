import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CHART } from '../../deploy/helm.ts';
import { ensureCertificates } from '../bench/certificates.ts';
import { CLUSTER_PROGRAMS, isKubeApiServerBuilt, startKubeApiServer } from '../bench/kube-api-server.ts';

const NAMESPACE = 'shop';
const ADMIN = 'token';
const MANAGED = { 'secrets-store.csi.k8s.io/managed': 'true' };
const OPTED_IN = { 'aws-secrets-csi/restart-on-rotation': 'true' };
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'] as const;
const POWERS = ['enableSecretRotation', 'syncSecret.enabled', 'tokenRequest.enabled', 'restartOnRotation.enabled'];
const POLICY = 'ValidatingAdmissionPolicy';
const REFUSAL = { ok: false, text: expect.stringContaining(POLICY) };

interface Answer {
  readonly ok: boolean;
  /** The output of the program. */
  readonly text: string;
}

/** kubectl with a token. */
let ask: (token: string, args: readonly string[], input?: object | string) => Answer;
/** Token of the provider's pod on `node-1`. */
let provider: string;

describe.runIf(isKubeApiServerBuilt())("the holder of the provider's token, with admissionPolicies.enabled,", () => {
  const resources = new AsyncDisposableStack();

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'admission-'));
    resources.defer(() => rm(folder, { recursive: true, force: true }));
    const { caFile } = await ensureCertificates(folder);
    const api = resources.use(await startKubeApiServer(ADMIN, caFile, join(folder, 'log')));
    const server = [`--server=https://127.0.0.1:${api.port}`, `--certificate-authority=${caFile}`];
    ask = (token, args, input) =>
      run(
        'kubectl',
        [...server, '--kubeconfig=/dev/null', `--token=${token}`, `--namespace=${NAMESPACE}`, ...args],
        input,
      );
    await api.createAccounts([{ namespace: NAMESPACE, name: 'web' }]);
    const values = [...POWERS, 'admissionPolicies.enabled'].map((name) => `--set=${name}=true`);
    const chart = run('helm', ['template', 'aws-secrets-csi', CHART, '--namespace=kube-system', ...values]);
    asAdmin(['apply', '--namespace=kube-system', '--filename=-'], chart.text);
    asAdmin(['apply', '--namespace=kube-system', '--filename=-'], podOf('provider', 'aws-secrets-csi', 'node-1'));
    asAdmin(['apply', '--filename=-'], { apiVersion: 'v1', kind: 'List', items: tenantObjects() });
    provider = asAdmin(tokenArgs('aws-secrets-csi', 'kube-system', boundTo('kube-system', 'provider'))).trim();
    // A policy takes effect a moment after it was created.
    const refused = [
      () => ask(provider, tokenArgs('web', NAMESPACE, [])),
      () =>
        ask(provider, tokenArgs('web', NAMESPACE, ['--audience=sts.amazonaws.com', ...boundTo(NAMESPACE, 'web-2')])),
      () => ask(provider, ['create', '--filename=-'], secretOf('early', {})),
      () => patch('deployment', 'plain', { metadata: { labels: { early: 'true' } } }),
    ];
    for (const attempt of refused) {
      await vi.waitUntil(() => attempt().text.includes(POLICY), { timeout: 60_000, interval: 500 });
    }
  }, 150_000);

  afterAll(() => resources.disposeAsync());

  it('gets tokens for AWS, for pods of that node', () => {
    for (const audience of ['sts.amazonaws.com', 'pods.eks.amazonaws.com']) {
      const args = tokenArgs('web', NAMESPACE, [`--audience=${audience}`, ...boundTo(NAMESPACE, 'web-1')]);
      expect(ask(provider, args)).toMatchObject({ ok: true });
    }
  });

  it.for<readonly [string, readonly string[], string | undefined]>([
    ['for the API server', [], 'web-1'],
    ["for the API server by name, beside AWS's", ['sts.amazonaws.com', 'https://bench'], 'web-1'],
    ['bound to no pod', ['sts.amazonaws.com'], undefined],
    ['of a pod of another node', ['sts.amazonaws.com'], 'web-2'],
    ['of a pod of no node yet', ['sts.amazonaws.com'], 'web-waiting'],
  ])('gets no token %s', ([, audiences, pod]) => {
    const bound = pod === undefined ? [] : boundTo(NAMESPACE, pod);
    const args = tokenArgs('web', NAMESPACE, [...audiences.map((audience) => `--audience=${audience}`), ...bound]);

    expect(ask(provider, args)).toMatchObject(REFUSAL);
    expect(ask(ADMIN, args)).toMatchObject({ ok: true });
  });

  it('gets no token without a node in its own token', () => {
    const unbound = asAdmin(tokenArgs('aws-secrets-csi', 'kube-system', [])).trim();

    const args = tokenArgs('web', NAMESPACE, ['--audience=sts.amazonaws.com', ...boundTo(NAMESPACE, 'web-1')]);
    expect(ask(unbound, args)).toMatchObject(REFUSAL);
  });

  it('writes and deletes Secrets with the label', () => {
    expect(ask(provider, ['create', '--filename=-'], secretOf('ours', MANAGED))).toMatchObject({ ok: true });
    expect(patch('secret', 'ours', { stringData: { key: 'next' } })).toMatchObject({ ok: true });
    expect(ask(provider, ['delete', 'secret', 'ours', '--wait=false'])).toMatchObject({ ok: true });
  });

  it('creates no Secret beyond its permissions', () => {
    const account = { 'kubernetes.io/service-account.name': 'web' };
    const forged = [
      secretOf('unlabelled', {}),
      secretOf('labelled-otherwise', { 'secrets-store.csi.k8s.io/managed': 'false' }),
      secretOf('account-token', MANAGED, 'kubernetes.io/service-account-token', account),
      secretOf('bootstrap-token-abcdef', MANAGED, 'bootstrap.kubernetes.io/token'),
      secretOf('helm', MANAGED, 'helm.sh/release.v1'),
    ];
    for (const secret of forged) {
      expect(ask(provider, ['create', '--filename=-'], secret)).toMatchObject(REFUSAL);
    }
  });

  it('neither changes nor deletes Secrets of others, nor removes the label from its own', () => {
    asAdmin(['create', '--filename=-'], secretOf('kept', MANAGED));

    expect(patch('secret', 'theirs', { metadata: { labels: MANAGED } })).toMatchObject(REFUSAL);
    expect(patch('secret', 'theirs', { stringData: { key: 'forged' } })).toMatchObject(REFUSAL);
    expect(ask(provider, ['delete', 'secret', 'theirs'])).toMatchObject(REFUSAL);
    expect(ask(provider, ['delete', 'secret', 'release'])).toMatchObject(REFUSAL);
    expect(patch('secret', 'kept', { metadata: { labels: { [Object.keys(MANAGED)[0]!]: null } } })).toMatchObject(
      REFUSAL,
    );
  });

  it.for(KINDS)('restarts a %s that opts in, and changes nothing else of it', (kind) => {
    const ours = { 'aws-secrets-csi/mounted-versions': '{}', 'aws-secrets-csi/restarted-at': '2026-01-01T00:00:00Z' };
    const roll = {
      metadata: { annotations: ours },
      spec: { template: { metadata: { annotations: { 'aws-secrets-csi/versions': 'v2' } } } },
    };
    const container = { name: 'app', image: 'evil.example/miner' };
    const forbidden: readonly object[] = [
      { spec: { template: { spec: { containers: [container] } } } },
      { ...roll, spec: { template: { ...roll.spec.template, spec: { hostNetwork: true } } } },
      { spec: { template: { spec: { serviceAccountName: 'admin' } } } },
      { spec: { minReadySeconds: 5 } },
      { spec: { revisionHistoryLimit: 0 } },
      { spec: { template: { metadata: { labels: { more: 'x' } } } } },
      { spec: { template: { metadata: { annotations: { 'example.com/theirs': 'x' } } } } },
      { spec: { template: { metadata: { annotations: { 'example.com/before': null } } } } },
      { metadata: { labels: { more: 'x' } } },
      { metadata: { finalizers: ['example.com/stay'] } },
      { metadata: { annotations: { 'example.com/theirs': 'x' } } },
      { metadata: { annotations: { 'example.com/before': null } } },
      { metadata: { ...roll.metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'x' }] } },
      { metadata: { annotations: { 'aws-secrets-csi/restart-on-rotation': null } } },
    ];

    expect(patch(kind, 'asks', roll)).toMatchObject({ ok: true });
    const letThrough = forbidden.filter((change) => !patch(kind, 'asks', change).text.includes(POLICY));
    expect(letThrough).toEqual([]);
    expect(patch(kind, 'plain', roll)).toMatchObject(REFUSAL);
    expect(patch(kind, 'plain', { metadata: { annotations: { ...OPTED_IN, ...ours } } })).toMatchObject(REFUSAL);
  });

  it('does not affect other accounts', () => {
    expect(
      ask(ADMIN, ['patch', 'secret', 'theirs', '--type=merge', '--patch={"stringData":{"key":"new"}}']),
    ).toMatchObject({
      ok: true,
    });
    expect(ask(ADMIN, ['label', 'deployment', 'plain', 'by=admin'])).toMatchObject({ ok: true });
  });
});

/** Runs a program of the cluster. */
function run(name: string, args: readonly string[], input?: object | string): Answer {
  const { status, stdout, stderr } = spawnSync(join(CLUSTER_PROGRAMS, name), args, {
    encoding: 'utf8',
    input: typeof input === 'object' ? JSON.stringify(input) : (input ?? ''),
    env: { HOME: '/nonexistent' },
  });
  return { ok: status === 0, text: stdout + stderr };
}

/** @returns what kubectl prints */
function asAdmin(args: readonly string[], input?: object | string): string {
  const { ok, text } = ask(ADMIN, args, input);
  if (!ok) {
    throw new Error(text);
  }
  return text;
}

function patch(kind: string, name: string, change: object): Answer {
  return ask(provider, ['patch', kind.toLowerCase(), name, '--type=merge', `--patch=${JSON.stringify(change)}`]);
}

function tokenArgs(account: string, namespace: string, more: readonly string[]): readonly string[] {
  return ['create', 'token', account, `--namespace=${namespace}`, ...more];
}

function boundTo(namespace: string, pod: string): readonly string[] {
  const uid = asAdmin(['get', 'pod', pod, `--namespace=${namespace}`, '--output=jsonpath={.metadata.uid}']);
  return ['--bound-object-kind=Pod', `--bound-object-name=${pod}`, `--bound-object-uid=${uid}`];
}

function secretOf(name: string, labels: object, type = 'Opaque', annotations = {}): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels, annotations },
    type,
    stringData: { key: 'value' },
  };
}

function podOf(name: string, serviceAccountName: string, nodeName?: string): object {
  const spec = { serviceAccountName, nodeName, containers: [{ name: 'app', image: 'app' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec };
}

/** Pods on two nodes, Secrets of others, and one workload of each kind that opts in to restarts, and one that does not. */
function tenantObjects(): readonly object[] {
  const labels = { app: 'app' };
  const before = { 'example.com/before': 'x' };
  const template = {
    metadata: { labels, annotations: before },
    spec: { containers: [{ name: 'app', image: 'app' }] },
  };
  return [
    podOf('web-1', 'web', 'node-1'),
    podOf('web-2', 'web', 'node-2'),
    podOf('web-waiting', 'web'),
    secretOf('theirs', {}),
    secretOf('release', MANAGED, 'helm.sh/release.v1'),
    ...KINDS.flatMap((kind) =>
      [
        ['asks', { ...before, ...OPTED_IN }],
        ['plain', before],
      ].map(([name, annotations]) => ({
        apiVersion: 'apps/v1',
        kind,
        metadata: { name, annotations },
        spec: { selector: { matchLabels: labels }, template, ...(kind === 'StatefulSet' && { serviceName: 'app' }) },
      })),
    ),
  ];
}
