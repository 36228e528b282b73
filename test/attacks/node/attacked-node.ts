import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { CallError, connect, type ProviderClient } from '../../../src/grpc/client.ts';
import type { MountResponse } from '../../../src/grpc/protocol.ts';
import type { Seed } from '../../fakes/aws/seed.ts';
import { type AwsFakes, READ_ALL, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { type ApiServer, startApiServer } from '../../fakes/kube/api-server.ts';
import { type AttackedProcess, type ProcessOptions, startProcess } from './attacked-process.ts';

export const REGION = 'us-east-1';
export const NEVER = new AbortController().signal;
/** An action beside `READ_ALL`. */
const BATCH = { actions: ['secretsmanager:BatchGetSecretValue'], resources: ['*'] };

/** A pod of the node, with one volume called "secrets". */
export interface AttackPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
  readonly targetPath: string;
}

export interface AttackedNodeOptions extends Partial<Pick<ProcessOptions, 'memoryMiB' | 'env' | 'waits'>> {
  /** Further flags of `serve`. */
  readonly args?: readonly string[];
  /** Absent: that of vitest's global set-up. */
  readonly motoUrl?: string;
}

/** A node: the bundle as a separate process between an AWS account, an API server and the driver, whose role the test plays. */
export interface AttackedNode extends AsyncDisposable {
  readonly aws: AwsFakes;
  readonly seed: Seed;
  readonly api: ApiServer;
  readonly folder: string;
  readonly kubeletDir: string;
  readonly socketPath: string;
  readonly provider: AttackedProcess;
  readonly client: ProviderClient;
  /** Makes a service account with a role that may read everything. @returns the role's ARN */
  addAccount(namespace: string, name: string): string;
  /** Makes a pod's volume, an empty directory where the kubelet has it, and its Pod object with the class `class`. */
  addPod(namespace: string, name: string, serviceAccount: string, className?: string): Promise<AttackPod>;
  /** The driver's Mount call. @param parameters of the class, before overrides of the pod */
  mount(pod: AttackPod, parameters: Readonly<Record<string, string>>): Promise<MountResponse>;
  /** A mount of one small secret by a service account that no attacker uses. @returns milliseconds that it took */
  victimMount(): Promise<number>;
}

/** Account `web` of namespace `shop` exists from the start, and the secret `victim` of the victim's own account. */
export async function startAttackedNode(options: AttackedNodeOptions = {}): Promise<AttackedNode> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'attack-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const aws = opening.use(await startAwsFakes({ motoUrl: options.motoUrl ?? inject('motoUrl') }));
  const api = opening.use(await startApiServer());
  const seed = await aws.seed(REGION);
  await seed.secret('victim', 'the-victims-own');
  const kubeletDir = join(folder, 'kubelet');
  const sockets = join(folder, 'providers');
  await mkdir(join(kubeletDir, 'pods'), { recursive: true });
  const provider = opening.use(
    await startProcess({
      args: [
        `--provider-volume=${sockets}`,
        `--kubeconfig=${api.kubeconfig}`,
        '--health-address=127.0.0.1:0',
        `--kubelet-dir=${kubeletDir}`,
        '--require-mounted-volumes=false',
        '--node-name=node-1',
        ...(options.args ?? []),
      ],
      env: { AWS_ENDPOINT_URL: aws.gate.url, AWS_REGION: REGION, ...options.env },
      ...(options.memoryMiB !== undefined && { memoryMiB: options.memoryMiB }),
      ...(options.waits !== undefined && { waits: options.waits }),
    }),
  );
  const socketPath = join(sockets, 'aws.sock');
  const client = opening.use(connect(socketPath, 120_000));
  let pods = 0;

  function addAccount(namespace: string, name: string): string {
    const roleArn = aws.addRole(`${namespace}-${name}`, [`${namespace}/${name}`], [READ_ALL, BATCH]);
    const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
    api.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name, annotations } });
    return roleArn;
  }

  async function addPod(
    namespace: string,
    name: string,
    serviceAccount: string,
    className = 'class',
  ): Promise<AttackPod> {
    pods += 1;
    const uid = `00000000-0000-4000-8000-${String(pods).padStart(12, '0')}`;
    const targetPath = join(kubeletDir, 'pods', uid, 'volumes', 'kubernetes.io~csi', 'secrets', 'mount');
    await mkdir(targetPath, { recursive: true });
    const volumeAttributes = { secretProviderClass: className };
    api.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name, uid },
      spec: {
        nodeName: 'node-1',
        serviceAccountName: serviceAccount,
        volumes: [{ name: 'secrets', csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true, volumeAttributes } }],
      },
      status: { phase: 'Running' },
    });
    return { namespace, name, uid, serviceAccount, targetPath };
  }

  async function mount(pod: AttackPod, parameters: Readonly<Record<string, string>>): Promise<MountResponse> {
    return await client.mount(
      {
        attributes: attributesOf(pod, parameters),
        secrets: 'null',
        targetPath: pod.targetPath,
        permission: '420',
        currentObjectVersion: [],
      },
      NEVER,
    );
  }

  addAccount('shop', 'web');
  addAccount('victims', 'victim');
  const opened = opening.move();
  return {
    aws,
    seed,
    api,
    folder,
    kubeletDir,
    socketPath,
    provider,
    client,
    addAccount,
    addPod,
    mount,
    async victimMount() {
      const pod = await addPod('victims', `victim-${pods}`, 'victim');
      const started = performance.now();
      await mount(pod, { objects: '[{objectName: victim, objectType: secretsmanager}]' });
      return performance.now() - started;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** In the form of driver 1.6. */
export function attributesOf(
  { namespace, name, uid, serviceAccount }: AttackPod,
  parameters: Readonly<Record<string, string>>,
): string {
  const audiences = ['sts.amazonaws.com', 'pods.eks.amazonaws.com'];
  const tokens = Object.fromEntries(
    audiences.map((aud) => [aud, { token: mintToken(`${namespace}/${serviceAccount}`, { aud: [aud] }) }]),
  );
  return JSON.stringify({
    secretProviderClass: 'class',
    ...parameters,
    'csi.storage.k8s.io/pod.name': name,
    'csi.storage.k8s.io/pod.namespace': namespace,
    'csi.storage.k8s.io/pod.uid': uid,
    'csi.storage.k8s.io/serviceAccount.name': serviceAccount,
    'csi.storage.k8s.io/ephemeral': 'true',
    'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(tokens),
  });
}

/** The error of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<CallError> {
  const thrown: unknown = await call.then(
    () => 'succeeded',
    (error: unknown) => error,
  );
  if (!(thrown instanceof CallError)) {
    throw new Error(`expected a refusal, got ${String(thrown)}`);
  }
  return thrown;
}
