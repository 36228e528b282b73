import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { credential, NODE_NAME, tokenKubeconfig } from './certificates.ts';
import { CLUSTER_FILE, KUBECONFIG, PROCESSES, program } from './layout.ts';
import { apply, kubectl } from './kubernetes-tools.ts';
import { NODE_ADDRESS } from './network.ts';
import { nodePath, runInNode, startInNode } from './node.ts';
import { stopProcess, waitUntilReady } from './processes.ts';

export const DRIVER_NAME = 'secrets-store.csi.k8s.io';
const DRIVER_METRICS = `http://${NODE_ADDRESS}:8095/metrics`;

/** Which kubelets and drivers look for a provider's socket. */
const PROVIDERS_FOLDER = '/var/run/secrets-store-csi-providers';

const PLUGIN_FOLDER = '/var/lib/kubelet/plugins/csi-secrets-store';
const DRIVER_SOCKET = `${PLUGIN_FOLDER}/csi.sock`;
const REGISTRATION_SOCKET = `/var/lib/kubelet/plugins_registry/${DRIVER_NAME}-reg.sock`;
/** The registrar makes it when the kubelet has said yes. */
const REGISTERED = `${PLUGIN_FOLDER}/registered`;
const GROUP = 'secrets-store.csi.x-k8s.io';
const DRIVER = 'secrets-store-csi-driver';
const REGISTRAR = 'registrar';
const DRIVER_KUBECONFIG = credential('secrets-store-csi-driver.kubeconfig');
const OPTIONS_FILE = path.join(PROCESSES, 'driver-options.json');

/** What its Helm chart calls enableSecretRotation, rotationPollInterval, syncSecret.enabled and tokenRequests. */
export interface DriverOptions {
  /** Default: on in this suite, off in the driver's chart. */
  readonly rotation?: boolean;
  /** A Go duration; default: 2s in this suite, 2m in the driver. */
  readonly rotationPollInterval?: string;
  /** May the driver mirror files into Secrets? Default: off. */
  readonly syncSecret?: boolean;
  /** Default: those of IRSA and EKS Pod Identity. */
  readonly tokenAudiences?: readonly string[];
}

const DEFAULTS: Required<DriverOptions> = {
  rotation: true,
  rotationPollInterval: '2s',
  syncSecret: false,
  tokenAudiences: ['sts.amazonaws.com', 'pods.eks.amazonaws.com'],
};

/** Starts the Secrets Store CSI driver on the node, and returns when the kubelet knows it. */
export async function startDriver(options: DriverOptions = {}): Promise<void> {
  const chosen = { ...DEFAULTS, ...options };
  await writeFile(OPTIONS_FILE, JSON.stringify(chosen));
  await applyObjects(chosen);
  await writeFile(DRIVER_KUBECONFIG, await makeKubeconfig(), { mode: 0o600 });
  await startOnNode(chosen);
}

/** Starts it again as it was last started, on a node that was switched on again; not at all if it was stopped before. */
export async function resumeDriver(): Promise<void> {
  if (existsSync(OPTIONS_FILE)) {
    await startOnNode(JSON.parse(await readFile(OPTIONS_FILE, 'utf8')));
  }
}

export async function stopDriver(): Promise<void> {
  await rm(OPTIONS_FILE, { force: true });
  await stopProcess(REGISTRAR);
  await stopProcess(DRIVER);
}

async function startOnNode(options: Required<DriverOptions>): Promise<void> {
  await runInNode(['mkdir', '-p', PLUGIN_FOLDER, path.dirname(REGISTRATION_SOCKET), PROVIDERS_FOLDER]);
  await runInNode(['rm', '-f', DRIVER_SOCKET, REGISTRATION_SOCKET, REGISTERED]);
  await startInNode(DRIVER, [
    program(DRIVER),
    `--endpoint=unix://${DRIVER_SOCKET}`,
    `--nodeid=${NODE_NAME}`,
    `--provider-volume=${PROVIDERS_FOLDER}`,
    `--metrics-addr=${new URL(DRIVER_METRICS).host}`,
    `--enable-secret-rotation=${options.rotation}`,
    `--rotation-poll-interval=${options.rotationPollInterval}`,
    `--kubeconfig=${DRIVER_KUBECONFIG}`,
    '-v=5',
  ]);
  await waitUntilReady(DRIVER, async () => existsSync(await nodePath(DRIVER_SOCKET)), 30_000);
  const registrar = path.join(import.meta.dirname, 'registrar.ts');
  await startInNode(REGISTRAR, [
    process.execPath,
    registrar,
    REGISTRATION_SOCKET,
    DRIVER_NAME,
    DRIVER_SOCKET,
    REGISTERED,
  ]);
  await waitUntilReady(REGISTRAR, isRegistered, 60_000);
}

/** The CRDs and roles as the driver's release has them, and the CSIDriver object as its chart would write it. */
async function applyObjects(options: Required<DriverOptions>): Promise<void> {
  const crds = ['secretproviderclasses', 'secretproviderclasspodstatuses'].map((kind) => `${kind}.${GROUP}`);
  const files = crds.map((crd) => {
    const [kind = ''] = crd.split('.');
    return `${GROUP}_${kind}.yaml`;
  });
  const roles = [
    'rbac-secretproviderclass.yaml',
    'role-secretproviderclasses-admin.yaml',
    'role-secretproviderclasses-viewer.yaml',
    'role-secretproviderclasspodstatuses-viewer.yaml',
  ];
  const syncRole = await manifest('rbac-secretprovidersyncing.yaml');
  const all = await Promise.all([...files, ...roles].map(manifest));
  await apply(KUBECONFIG, [...all, ...(options.syncSecret ? [syncRole] : [])].join('\n---\n'));
  if (!options.syncSecret) {
    await kubectl(KUBECONFIG, ['delete', '--ignore-not-found', '--filename=-'], { input: syncRole });
  }
  await apply(KUBECONFIG, [
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: DRIVER_NAME },
      spec: {
        podInfoOnMount: true,
        attachRequired: false,
        volumeLifecycleModes: ['Ephemeral'],
        requiresRepublish: options.rotation,
        ...(options.tokenAudiences.length > 0 && {
          tokenRequests: options.tokenAudiences.map((audience) => ({ audience })),
          serviceAccountTokenInSecrets: true,
        }),
      },
    },
  ]);
  await kubectl(KUBECONFIG, ['wait', '--for=condition=Established', ...crds.map((crd) => `crd/${crd}`)]);
}

function manifest(file: string): Promise<string> {
  return readFile(path.join(program('deploy'), file), 'utf8');
}

/** The driver acts as its own service account, so that what its roles leave out is missing here too. */
async function makeKubeconfig(): Promise<string> {
  const args = ['create', 'token', DRIVER, '--namespace=kube-system', '--duration=24h'];
  const { apiPort } = JSON.parse(await readFile(CLUSTER_FILE, 'utf8'));
  return tokenKubeconfig((await kubectl(KUBECONFIG, args)).trim(), apiPort);
}

async function isRegistered(): Promise<boolean> {
  const node = await kubectl(KUBECONFIG, ['get', 'csinode', NODE_NAME, '--output=jsonpath={.spec.drivers[*].name}']);
  return existsSync(await nodePath(REGISTERED)) && node.split(' ').includes(DRIVER_NAME);
}
