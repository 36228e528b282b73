import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, inject } from 'vitest';
import { readConfig } from '../../../src/config/config.ts';
import { startDaemon } from '../../../src/daemon.ts';
import { connect, type ProviderClient } from '../../../src/grpc/client.ts';
import type { MountResponse } from '../../../src/grpc/protocol.ts';
import type { Seed } from '../../fakes/aws/seed.ts';
import { type AwsFakes, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { type ApiServer, startApiServer } from '../../fakes/kube/api-server.ts';
import { createKubeRest, type KubeObject, type KubeRest } from './kube-rest.ts';

export const REGION = 'us-east-1';
export const NAMESPACE = 'shop';
const NEVER = new AbortController().signal;
const CLASSES = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${NAMESPACE}/secretproviderclasses`;
const STATUSES = `/apis/secrets-store.csi.x-k8s.io/v1/namespaces/${NAMESPACE}/secretproviderclasspodstatuses`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

/** An AWS account and an API server, and nodes that use them. */
export interface TestCluster extends AsyncDisposable {
  readonly aws: AwsFakes;
  readonly seed: Seed;
  readonly api: ApiServer;
  readonly kube: KubeRest;
  /** Adds a service account with a role that may read everything. @returns the role's ARN */
  addAccount(name: string): Promise<string>;
  /** Makes a class, or puts another in its place. */
  applyClass(name: string, options: ClassOptions): Promise<void>;
  removeClass(name: string): Promise<void>;
  /** @param args flags of `serve` besides those that point it at the fakes and name the node */
  startNode(name: string, args: readonly string[]): Promise<ClusterNode>;
  eventsOf(pod: string): Promise<readonly PodEvent[]>;
}

export interface ClassOptions {
  readonly objects: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: Readonly<Record<string, string>>;
  readonly secretObjects?: readonly unknown[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly provider?: string;
}

export interface PodEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly count?: number;
}

export interface PodOptions {
  readonly className: string;
  readonly serviceAccount?: string;
  readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string };
  /** What the pod puts over the class's parameters. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** Whether the CSIDriver asks for tokens. */
  readonly hasTokens?: boolean;
}

export interface StartedPod extends PodOptions {
  readonly name: string;
  readonly uid: string;
  readonly targetPath: string;
}

/** A node: the provider in this process. The test plays kubelet and driver. */
export interface ClusterNode extends AsyncDisposable {
  readonly name: string;
  /** Lines of the provider's log so far. */
  readonly log: readonly string[];
  readonly client: ProviderClient;
  /** A pod comes up: its object, its volume, the driver's Mount call, the driver's note of it. */
  startPod(name: string, options: PodOptions): Promise<StartedPod>;
  /** The driver's call for a pod that runs. */
  republish(pod: StartedPod): Promise<MountResponse>;
  /** A pod goes: the driver empties its volume, then the objects go. */
  stopPod(pod: StartedPod): Promise<void>;
  /** The provider ends and starts anew. @param meanwhile what happens while it is away */
  restart(meanwhile?: () => Promise<void>): Promise<void>;
}

export async function startCluster(): Promise<TestCluster> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'cluster-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const aws = opening.use(await startAwsFakes({ motoUrl: inject('motoUrl') }));
  const api = opening.use(await startApiServer());
  const kube = createKubeRest(api.url, 'token-of-the-provider');
  const seed = await aws.seed(REGION);

  async function addAccount(name: string): Promise<string> {
    const roleArn = aws.addRole(name, [`${NAMESPACE}/${name}`]);
    const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
    await kube.create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: NAMESPACE, name, annotations },
    });
    return roleArn;
  }
  await addAccount('web');

  const opened = opening.move();
  return {
    aws,
    seed,
    api,
    kube,
    addAccount,
    async applyClass(name, { objects, parameters = {}, secretObjects, annotations = {}, provider = 'aws' }) {
      await kube.remove(`${CLASSES}/${name}`);
      await kube.create(CLASSES, {
        apiVersion: 'secrets-store.csi.x-k8s.io/v1',
        kind: 'SecretProviderClass',
        metadata: { namespace: NAMESPACE, name, annotations },
        spec: {
          provider,
          parameters: { objects: JSON.stringify(objects), ...parameters },
          ...(secretObjects !== undefined && { secretObjects }),
        },
      });
    },
    removeClass: (name) => kube.remove(`${CLASSES}/${name}`),
    startNode: async (name, args) => opened.use(await startNode({ name, args, folder, aws, api, kube })),
    async eventsOf(pod) {
      const events = await kube.list<PodEvent & { readonly involvedObject: { readonly name: string } }>(
        `/api/v1/namespaces/${NAMESPACE}/events`,
      );
      return events
        .filter(({ involvedObject }) => involvedObject.name === pod)
        .map(({ type, reason, message, count }) => ({ type, reason, message, ...(count !== undefined && { count }) }));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface NodeSettings extends Pick<TestCluster, 'aws' | 'api' | 'kube'> {
  readonly name: string;
  readonly args: readonly string[];
  readonly folder: string;
}

async function startNode({ name, args, folder, aws, api, kube }: NodeSettings): Promise<ClusterNode> {
  const log: string[] = [];
  const config = readConfig(
    [
      `--provider-volume=${join(folder, name, 'providers')}`,
      `--kubeconfig=${api.kubeconfig}`,
      '--health-address=127.0.0.1:0',
      `--node-name=${name}`,
      ...args,
    ],
    { AWS_ENDPOINT_URL: aws.gate.url, AWS_REGION: REGION },
  );
  function start(): ReturnType<typeof startDaemon> {
    return startDaemon(config, pino({ level: 'debug' }, { write: (line: string) => log.push(line) }));
  }
  let daemon = await start();
  let client = connect(config.socketPath, 120_000);

  async function mount(pod: StartedPod): Promise<MountResponse> {
    const { attributes, mode } = await callFor(pod, kube);
    const currentObjectVersion: never[] = [];
    return await client.mount(
      { attributes, secrets: 'null', targetPath: pod.targetPath, permission: mode, currentObjectVersion },
      NEVER,
    );
  }

  return {
    name,
    log,
    get client() {
      return client;
    },
    async startPod(podName, options) {
      const { serviceAccount = 'web', className, owner, attributes = {} } = options;
      const { metadata } = await kube.create(PODS, {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          namespace: NAMESPACE,
          name: podName,
          ...(owner !== undefined && { ownerReferences: [{ ...owner, controller: true }] }),
        },
        spec: {
          nodeName: name,
          serviceAccountName: serviceAccount,
          volumes: [
            {
              name: 'secrets',
              csi: {
                driver: 'secrets-store.csi.k8s.io',
                readOnly: true,
                volumeAttributes: { ...attributes, secretProviderClass: className },
              },
            },
          ],
        },
        status: { phase: 'Running' },
      });
      const uid = metadata.uid ?? '';
      const targetPath = join(folder, name, 'pods', uid, 'volumes', 'kubernetes.io~csi', 'secrets', 'mount');
      await mkdir(targetPath, { recursive: true });
      const pod = { ...options, name: podName, uid, targetPath };
      await noteStatus(pod, await mount(pod), name, kube);
      return pod;
    },
    async republish(pod) {
      const response = await mount(pod);
      await noteStatus(pod, response, name, kube);
      return response;
    },
    async stopPod(pod) {
      await rm(pod.targetPath, { recursive: true, force: true });
      await kube.remove(`${STATUSES}/${statusName(pod)}`);
      await kube.remove(`${PODS}/${pod.name}`);
    },
    async restart(meanwhile) {
      client[Symbol.dispose]();
      await daemon[Symbol.asyncDispose]();
      await meanwhile?.();
      daemon = await start();
      client = connect(config.socketPath, 120_000);
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await daemon[Symbol.asyncDispose]();
    },
  };
}

/** As driver 1.6 words it: the class under the pod's attributes under the kubelet's. */
async function callFor(
  pod: StartedPod,
  kube: KubeRest,
): Promise<{ readonly attributes: string; readonly mode: string }> {
  const { serviceAccount = 'web', hasTokens = true } = pod;
  const found = await kube.find<{ spec: { parameters: Record<string, string> } }>(`${CLASSES}/${pod.className}`);
  expect(found, `class ${pod.className}`).toBeDefined();
  const tokens = Object.fromEntries(
    ['sts.amazonaws.com', 'pods.eks.amazonaws.com'].map((aud) => [
      aud,
      { token: mintToken(`${NAMESPACE}/${serviceAccount}`, { aud: [aud] }) },
    ]),
  );
  const attributes = {
    ...found?.spec.parameters,
    ...pod.attributes,
    secretProviderClass: pod.className,
    'csi.storage.k8s.io/pod.name': pod.name,
    'csi.storage.k8s.io/pod.namespace': NAMESPACE,
    'csi.storage.k8s.io/pod.uid': pod.uid,
    'csi.storage.k8s.io/serviceAccount.name': serviceAccount,
    'csi.storage.k8s.io/ephemeral': 'true',
    ...(hasTokens && { 'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(tokens) }),
  };
  return { attributes: JSON.stringify(attributes), mode: '420' };
}

export function statusName({ name, className }: Pick<StartedPod, 'name' | 'className'>): string {
  return `${name}-${NAMESPACE}-${className}`;
}

/** What the driver has noted of a pod's mount. */
export async function versionsOf(kube: KubeRest, pod: StartedPod): Promise<Readonly<Record<string, string>>> {
  const status = await kube.find<{ status: { objects: readonly { id: string; version: string }[] } }>(
    `${STATUSES}/${statusName(pod)}`,
  );
  return Object.fromEntries((status?.status.objects ?? []).map(({ id, version }) => [id, version]));
}

async function noteStatus(pod: StartedPod, response: MountResponse, node: string, kube: KubeRest): Promise<void> {
  const objects = response.objectVersion.map(({ id, version }) => ({ id, version }));
  const status = {
    podName: pod.name,
    secretProviderClassName: pod.className,
    targetPath: pod.targetPath,
    mounted: true,
    objects: objects.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  };
  const path = `${STATUSES}/${statusName(pod)}`;
  if ((await kube.find(path)) !== undefined) {
    await kube.patch(path, { status });
    return;
  }
  const object: KubeObject = {
    apiVersion: 'secrets-store.csi.x-k8s.io/v1',
    kind: 'SecretProviderClassPodStatus',
    metadata: {
      namespace: NAMESPACE,
      name: statusName(pod),
      labels: { 'internal.secrets-store.csi.k8s.io/node-name': node },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }],
    },
    status,
  };
  await kube.create(STATUSES, object);
}
