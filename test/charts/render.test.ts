import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { CHART, runHelm } from '../../deploy/helm.ts';
import { wrongFields } from './api-fields.ts';
import { configOf, HAS_HELM, HELM, podOf, render, theOne, type Values } from './chart.ts';

/** Every value of AWS's chart, without its sub-chart, set to something. */
const VALUES_OF_AWS_CHART: Values = {
  image: { repository: 'registry.example/provider', pullPolicy: 'Always', tag: '1.2.3' },
  awsRegion: 'eu-west-1',
  nameOverride: '',
  fullnameOverride: 'secrets-provider-aws',
  commonLabels: { team: 'platform' },
  providerVolume: '/var/run/secrets-store-csi-providers',
  kubeletPath: '/var/lib/kubelet',
  driverWritesSecrets: false,
  podLabels: { tier: 'node' },
  podAnnotations: { 'example.com/note': 'x' },
  affinity: {},
  resources: { requests: { cpu: '50m', memory: '100Mi' }, limits: { cpu: '50m', memory: '100Mi' } },
  priorityClassName: '',
  nodeSelector: { pool: 'general' },
  tolerations: [],
  port: 8989,
  updateStrategy: { type: 'RollingUpdate' },
  imagePullSecrets: [{ name: 'pull' }],
  rbac: { install: true, serviceAccountName: 'provider' },
  securityContext: { privileged: false, allowPrivilegeEscalation: false },
  useFipsEndpoint: true,
  podIdentityHttpTimeout: '100ms',
  dnsConfig: { options: [{ name: 'ndots', value: '1' }] },
  dnsPolicy: 'Default',
  k8sThrottlingParams: { qps: '50', burst: 100 },
  eksAddonVersion: 'v1.2.3-eksbuild.1',
};

const ENDPOINTS = {
  sts: 'https://sts.example',
  secretsManager: 'https://sm.example',
  ssm: 'https://ssm.example',
  sqs: 'https://sqs.example',
};

const SURGE = { type: 'RollingUpdate', rollingUpdate: { maxSurge: '10%', maxUnavailable: 0 } };

const MONITORING = { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } };

const API_TYPES: Readonly<Record<string, string>> = {
  ServiceAccount: 'V1ServiceAccount',
  ClusterRole: 'V1ClusterRole',
  ClusterRoleBinding: 'V1ClusterRoleBinding',
  DaemonSet: 'V1DaemonSet',
};

/** Rendered only if a value enables them. */
const OPTIONAL_TYPES: typeof API_TYPES = {
  Role: 'V1Role',
  RoleBinding: 'V1RoleBinding',
  NetworkPolicy: 'V1NetworkPolicy',
  ValidatingAdmissionPolicy: 'V1ValidatingAdmissionPolicy',
  ValidatingAdmissionPolicyBinding: 'V1ValidatingAdmissionPolicyBinding',
};

function block(cidr: string): object {
  return { ipBlock: { cidr } };
}

describe.skipIf(!HAS_HELM)('the chart', () => {
  it('passes helm lint', () => {
    const answer = runHelm(HELM, ['lint', '--strict', CHART]);

    expect(answer).toMatchObject({ ok: true, stdout: expect.stringContaining('1 chart(s) linted, 0 chart(s) failed') });
  });

  it.for<readonly [string, Values]>([
    ['the defaults', {}],
    ["every value of AWS's chart", VALUES_OF_AWS_CHART],
    [
      'everything else',
      {
        hostNetwork: true,
        rbac: { serviceAccountAnnotations: { a: 'b' } },
        extraEnv: [{ name: 'NO_PROXY', value: 'localhost' }],
        extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
        extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }],
        extraArgs: ['--mount-timeout=90s'],
        podLabels: { a: 'b' },
        enableSecretRotation: true,
        syncSecret: { enabled: true },
        tokenRequest: { enabled: true },
        restartOnRotation: { enabled: true },
      },
    ],
  ])('renders only fields that the Kubernetes API knows for %s', ([, values]) => {
    const manifests = render(values);

    const wrong = manifests.flatMap((manifest) =>
      wrongFields({ ...API_TYPES, ...OPTIONAL_TYPES }[manifest.kind] ?? manifest.kind, manifest),
    );

    expect(wrong).toEqual([]);
    const kinds = manifests.map(({ kind }) => kind).filter((kind) => !(kind in OPTIONAL_TYPES));
    expect(kinds.toSorted()).toEqual(Object.keys(API_TYPES).toSorted());
  });

  it('renders only fields that the Kubernetes API knows for optional objects', () => {
    const manifests = render({
      namespaces: ['shop', 'bank'],
      admissionPolicies: { enabled: true },
      networkPolicy: { enabled: true, nodeCidrs: ['10.0.0.0/16'], prometheusNamespaceSelector: MONITORING },
    });

    const types = { ...API_TYPES, ...OPTIONAL_TYPES };
    expect(manifests.flatMap((manifest) => wrongFields(types[manifest.kind] ?? manifest.kind, manifest))).toEqual([]);
    expect([...new Set(manifests.map(({ kind }) => kind))].toSorted()).toEqual(Object.keys(types).toSorted());
  });

  it.for<readonly [string, Values, readonly object[]]>([
    ["the pod's own node, which Kubernetes always lets in", {}, []],
    ['nodes', { nodeCidrs: ['10.0.0.0/16', 'fd00::/64'] }, [block('10.0.0.0/16'), block('fd00::/64')]],
    ['Prometheus', { prometheusNamespaceSelector: MONITORING }, [{ namespaceSelector: MONITORING }]],
    [
      'both',
      { nodeCidrs: ['10.0.0.0/16'], prometheusNamespaceSelector: MONITORING },
      [block('10.0.0.0/16'), { namespaceSelector: MONITORING }],
    ],
  ])('admits to the health port %s, and no other pod', ([, values, from]) => {
    const manifests = render({ port: 9000, networkPolicy: { enabled: true, ...values } });

    const { selector } = theOne('DaemonSet', manifests).spec!;
    expect(theOne('NetworkPolicy', manifests).spec).toEqual({
      podSelector: selector,
      policyTypes: ['Ingress'],
      ingress: from.length === 0 ? [] : [{ from, ports: [{ protocol: 'TCP', port: 9000 }] }],
    });
  });

  it("accepts a values file of AWS's chart", () => {
    const pod = podOf(render(VALUES_OF_AWS_CHART));

    expect(pod).toMatchObject({
      serviceAccountName: 'provider',
      dnsPolicy: 'Default',
      imagePullSecrets: [{ name: 'pull' }],
      nodeSelector: { 'kubernetes.io/os': 'linux', pool: 'general' },
      containers: [{ image: 'registry.example/provider:1.2.3', imagePullPolicy: 'Always' }],
    });
    expect(pod).not.toHaveProperty('priorityClassName');
    expect(pod).not.toHaveProperty('tolerations');
    expect(configOf(pod)).toMatchObject({
      defaultRegion: 'eu-west-1',
      driverWritesSecrets: false,
      aws: { useFipsEndpoint: true, podIdentity: { timeoutMs: 100 }, appId: 'aws-secrets-csi-v1.2.3-eksbuild.1' },
    });
  });

  it('passes every setting on in a form that the daemon reads', () => {
    const pod = podOf(
      render({
        providerVolume: '/run/providers',
        socketName: 'aws2',
        driverWritesSecrets: true,
        useDualstackEndpoint: true,
        endpoints: ENDPOINTS,
        podIdentityEndpoints: { ipv4: 'http://127.0.0.1:8080', ipv6: 'http://[::1]:8080' },
        logLevel: 'debug',
        logFormat: 'text',
        port: 9000,
        terminationGracePeriodSeconds: 45,
        extraArgs: ['--mount-timeout=90s'],
        extraEnv: [{ name: 'HTTPS_PROXY', value: 'http://proxy.example:3128' }],
      }),
    );

    expect(configOf(pod)).toMatchObject({
      socketPath: '/run/providers/aws2.sock',
      driverWritesSecrets: true,
      mountTimeoutMs: 90_000,
      drainMs: 35_000,
      healthAddress: { host: '10.0.0.1', port: 9000 },
      log: { level: 'debug', format: 'text' },
      kube: { nodeName: 'node-1' },
      aws: {
        endpoints: ENDPOINTS,
        useDualstackEndpoint: true,
        useFipsEndpoint: false,
        proxy: { HTTPS_PROXY: 'http://proxy.example:3128' },
        podIdentity: { ipv4: 'http://127.0.0.1:8080', ipv6: 'http://[::1]:8080', timeoutMs: 5_000 },
      },
    });
    expect(configOf(pod)).not.toHaveProperty('defaultRegion');
  });

  it.for([
    ['the pod of an IPv4 cluster', false, '10.0.0.1', '10.0.0.1'],
    ['the pod of an IPv6 cluster', false, 'fd00::7', 'fd00::7'],
    ["a pod on the host's network", true, '192.0.2.1', '127.0.0.1'],
  ] as const)('serves health checks where the kubelet probes %s', ([, hostNetwork, podIp, host]) => {
    const pod = podOf(render({ hostNetwork }));

    const [container] = pod.containers;
    expect(configOf(pod, podIp).healthAddress).toEqual({ host, port: 8989 });
    const asked = hostNetwork ? { host: '127.0.0.1', port: 8989 } : { port: 'health' };
    expect(container).toMatchObject({
      startupProbe: { httpGet: { path: '/readyz', ...asked } },
      readinessProbe: { httpGet: { path: '/readyz', ...asked } },
      livenessProbe: { httpGet: { path: '/livez', ...asked } },
    });
    expect('ports' in container).toBe(!hostNetwork);
  });

  it('runs as root without any capability', () => {
    const pod = podOf(render());

    expect(pod).toMatchObject({
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          securityContext: {
            runAsUser: 0,
            privileged: false,
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    });
    for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) {
      expect(pod).not.toHaveProperty(field);
    }
  });

  it('creates no accounts and roles if that is disabled', () => {
    const manifests = render({ rbac: { install: false, serviceAccountName: 'mine' } });

    expect(manifests.map(({ kind }) => kind)).toEqual(['DaemonSet']);
    expect(podOf(manifests).serviceAccountName).toBe('mine');
  });

  it("does not mount pods' volumes if the driver writes", () => {
    const [ours, drivers] = [podOf(render()), podOf(render({ driverWritesSecrets: true }))];

    expect(ours.volumes.map(({ hostPath }) => hostPath?.path)).toEqual([
      '/var/run/secrets-store-csi-providers',
      '/var/lib/kubelet/pods',
    ]);
    expect(ours.containers[0].volumeMounts[1]).toMatchObject({
      mountPath: '/var/lib/kubelet/pods',
      mountPropagation: 'HostToContainer',
    });
    expect(drivers.volumes.map(({ hostPath }) => hostPath?.path)).toEqual(['/var/run/secrets-store-csi-providers']);
    expect(drivers.containers[0].volumeMounts).toHaveLength(1);
  });

  it.for<readonly [string, Values, unknown]>([
    ['after the old pod has gone', {}, { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } }],
    [
      "after the old pod has gone, on the host's network too",
      { hostNetwork: true },
      { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%' } },
    ],
    ['before the old pod goes where that is asked for', { updateStrategy: SURGE }, SURGE],
    ['as told', { updateStrategy: { type: 'OnDelete' } }, { type: 'OnDelete' }],
  ])('starts a new pod %s', ([, values, expected]) => {
    expect(theOne('DaemonSet', render(values)).spec?.updateStrategy).toEqual(expected);
  });

  it.for<readonly [Values, string]>([
    [{}, 'aws-secrets-csi:0.1.0'],
    [{ image: { repository: 'registry.example/p', tag: 'v9' } }, 'registry.example/p:v9'],
    [
      { image: { repository: 'registry.example/p', tag: 'v9', digest: `sha256:${'a'.repeat(64)}` } },
      `registry.example/p@sha256:${'a'.repeat(64)}`,
    ],
  ])('uses the image of %j', ([values, image]) => {
    expect(podOf(render(values)).containers[0].image).toBe(image);
  });

  it.for<readonly [string, Values, string]>([
    ['aws-secrets-csi', {}, 'aws-secrets-csi'],
    ['prod', {}, 'prod-aws-secrets-csi'],
    ['prod', { nameOverride: 'provider' }, 'prod-provider'],
    ['prod', { fullnameOverride: 'provider' }, 'provider'],
    ['prod', { fullnameOverride: 'x'.repeat(63) }, 'x'.repeat(63)],
  ])('as release %s with %j is called %s', ([release, values, name]) => {
    const manifests = render(values, release);

    expect(new Set(manifests.map((manifest) => manifest.metadata.name))).toEqual(new Set([name]));
  });

  it('selects its own pods whatever labels are added', () => {
    const labels = { 'app.kubernetes.io/name': 'other', team: 'platform' };

    const { spec } = theOne('DaemonSet', render({ commonLabels: { team: 'common' }, podLabels: labels }));

    expect(spec?.template.metadata.labels).toMatchObject({ ...spec?.selector.matchLabels, team: 'platform' });
  });

  it.for<readonly [Values, string]>([
    [{ awsRegoin: 'eu-west-1' }, "additional properties 'awsRegoin' not allowed"],
    [{ awsRegion: 'eu-west' }, "'/awsRegion'"],
    [{ image: { repo: 'x' } }, "at '/image': additional properties 'repo' not allowed"],
    [{ image: { digest: 'sha256:1' } }, "'/image/digest'"],
    [{ logLevel: 'loud' }, "'/logLevel'"],
    [{ endpoints: { sts: 'sts.example' } }, "'/endpoints/sts'"],
    [{ podIdentityHttpTimeout: '-5s' }, "'/podIdentityHttpTimeout'"],
    [{ socketName: 'a.b' }, "'/socketName'"],
    [{ kubeletPath: 'var/lib/kubelet' }, "'/kubeletPath'"],
    [{ terminationGracePeriodSeconds: 5 }, "'/terminationGracePeriodSeconds'"],
    [{ extraArgs: ['mount-timeout=90s'] }, "'/extraArgs/0'"],
    [{ networkPolicy: { enabled: true, nodeCidrs: ['10.0.0.1'] } }, "'/networkPolicy/nodeCidrs/0'"],
    [
      { networkPolicy: { enabled: true }, hostNetwork: true },
      'networkPolicy.enabled has no effect with hostNetwork: true',
    ],
    [{ updateStrategy: SURGE, hostNetwork: true }, 'maxSurge cannot be used with hostNetwork: true'],
    [{ 'secrets-store-csi-driver': { install: true } }, "'/secrets-store-csi-driver/install'"],
  ])('refuses %j and names the value', ([values, place]) => {
    expect(() => render(values)).toThrow(place);
  });

  it('explains after an install how the driver gets the tokens, and what must exist', () => {
    const values = stringify({ rbac: { install: false } });

    const { stdout } = runHelm(
      HELM,
      ['install', 'prod', CHART, '--namespace', 'kube-system', '--dry-run=client'],
      values,
    );

    const notes = stdout.slice(stdout.indexOf('NOTES:'));
    expect(notes).toContain('rollout status daemonset/prod-aws-secrets-csi');
    expect(notes).toContain('tokenRequests[0].audience=sts.amazonaws.com');
    expect(notes).toContain('service account "prod-aws-secrets-csi" must exist, with a ClusterRole of these rules:');
    expect(notes).toContain('resources: [serviceaccounts]');
  });
});
