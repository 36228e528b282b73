import { createHash } from 'node:crypto';
import { CHART } from '../../../deploy/helm.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { AWS_PORT, type ProviderFacts } from './facts.ts';

/** Where the README tells users to install the provider. */
export const PROVIDER_NAMESPACE = 'kube-system';

/** Values of the chart. */
export type Values = Readonly<Record<string, unknown>>;

/** The chart, installed. Disposing of it uninstalls it. */
export interface Release extends AsyncDisposable {
  /** Of the release and of its objects; it must hold the chart's name. */
  readonly name: string;
  /** Changes values of the release and returns when the new pod has taken over. */
  upgrade(values: Values): Promise<void>;
  /** Returns when its pods have gone. */
  uninstall(): Promise<void>;
}

/** Makes the authority known in the cluster; before the first release. */
export async function applyAuthority(cluster: Cluster, facts: ProviderFacts): Promise<AsyncDisposable> {
  const name = authorityName(facts);
  const metadata = { name, namespace: PROVIDER_NAMESPACE };
  const data = { 'ca.pem': facts.certificates.authority };
  await cluster.apply([{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }]);
  return {
    async [Symbol.asyncDispose]() {
      await cluster.kubectl(['delete', 'configmap', name, `--namespace=${PROVIDER_NAMESPACE}`]);
    },
  };
}

/**
 * Installs the chart and returns when its pods are ready.
 * @param values besides those that lead it to the image and to the scenarios' AWS
 */
export async function installRelease(
  cluster: Cluster,
  facts: ProviderFacts,
  name: string,
  values: Values = {},
): Promise<Release> {
  const namespace = `--namespace=${PROVIDER_NAMESPACE}`;
  async function upgrade(changes: Values): Promise<void> {
    const input = JSON.stringify({ ...wayToAws(cluster, facts), ...changes });
    await cluster.helm(['upgrade', '--install', name, CHART, namespace, '--values=-'], { input });
    await cluster.kubectl(['rollout', 'status', `daemonset/${name}`, namespace, '--timeout=120s']);
  }
  async function uninstall(): Promise<void> {
    await cluster.helm(['uninstall', name, namespace, '--ignore-not-found']);
    const pods = `--selector=app.kubernetes.io/instance=${name}`;
    await cluster.kubectl(['wait', 'pods', pods, namespace, '--for=delete', '--timeout=60s']);
  }
  const release = { name, upgrade, uninstall, [Symbol.asyncDispose]: uninstall };
  try {
    await upgrade(values);
  } catch (error) {
    await uninstall();
    throw error;
  }
  return release;
}

/** Waits until every release of the chart answers on the node. */
export async function releasesAreReady(cluster: Cluster): Promise<void> {
  const selector = '--selector=app.kubernetes.io/name=aws-secrets-csi';
  const args = ['daemonset', selector, `--namespace=${PROVIDER_NAMESPACE}`, '--timeout=60s'];
  await cluster.kubectl(['rollout', 'status', ...args]);
}

function wayToAws({ hostAddress }: Cluster, facts: ProviderFacts): Values {
  const url = `https://${hostAddress}:${AWS_PORT}`;
  const [, repository, tag] = /^(.+):([^:/]+)$/.exec(facts.image) ?? [];
  return {
    image: { repository, tag },
    endpoints: { sts: url, secretsManager: url, ssm: url },
    // Shorter than the kubelet's pace, so that each time it publishes anew AWS is asked.
    rotationPollInterval: '5s',
    extraEnv: [{ name: 'AWS_CA_BUNDLE', value: '/etc/aws-ca/ca.pem' }],
    extraVolumes: [{ name: 'aws-ca', configMap: { name: authorityName(facts) } }],
    extraVolumeMounts: [{ name: 'aws-ca', mountPath: '/etc/aws-ca', readOnly: true }],
  };
}

/** The authority of the scenarios' AWS; named by what it holds, so that pods of an interrupted run do not go on with theirs. */
function authorityName({ certificates }: ProviderFacts): string {
  return `e2e-aws-authority-${createHash('sha256').update(certificates.authority).digest('hex').slice(0, 8)}`;
}
