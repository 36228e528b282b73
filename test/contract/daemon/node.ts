import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, inject } from 'vitest';
import type { Clock } from '../../../src/concurrency/clock.ts';
import { readConfig } from '../../../src/config/config.ts';
import { startDaemon } from '../../../src/daemon/daemon.ts';
import { CallError, connect, type ProviderClient } from '../../../src/grpc/client.ts';
import type { MountRequest, MountResponse, ObjectVersion } from '../../../src/grpc/protocol.ts';
import { finish } from '../../../src/concurrency/time-slices.ts';
import { readVolume } from '../../../src/mount/volume/volume.ts';
import type { Seed } from '../../fakes/aws/seed.ts';
import { PATIENT } from '../../fakes/aws/settings.ts';
import { type AwsFakes, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { type ApiServer, startApiServer } from '../../fakes/kube/api-server.ts';

export const REGION = 'us-east-1';
export const NEVER = new AbortController().signal;

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
}

export const POD: Pod = { namespace: 'shop', name: 'web-1', serviceAccount: 'web' };

export interface NodeOptions {
  /** Flags of `serve` besides those that connect it to the fakes. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

export interface MountOptions {
  readonly pod?: Pod;
  readonly targetPath?: string;
  readonly currentVersions?: readonly ObjectVersion[];
  /** Token by audience; default: tokens for both audiences. */
  readonly tokens?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A node: the provider in this process between an AWS account, an API server and the driver, whose role the test plays. */
export interface TestNode extends AsyncDisposable {
  readonly aws: AwsFakes;
  readonly seed: Seed;
  readonly api: ApiServer;
  readonly folder: string;
  readonly socketPath: string;
  readonly client: ProviderClient;
  /** Lines of the provider's log so far. */
  readonly log: readonly string[];
  readonly healthPort: number;
  /** ARN of the role of POD's service account, which may read everything. */
  readonly roleArn: string;
  /** An empty volume. */
  newTarget(pod?: Pod): Promise<string>;
  mount(parameters: Readonly<Record<string, string>>, options?: MountOptions): Promise<MountResponse>;
  /** A mount that must fail. */
  refused(parameters: Readonly<Record<string, string>>, options?: MountOptions): Promise<CallError>;
}

export async function startNode({ args = [], env = {}, clock }: NodeOptions = {}): Promise<TestNode> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'daemon-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const aws = opening.use(await startAwsFakes({ motoUrl: inject('motoUrl') }));
  const api = opening.use(await startApiServer());
  const roleArn = aws.addRole('web', ['shop/web']);
  api.put(serviceAccount('shop', 'web', roleArn));
  const config = readConfig(
    [
      '--provider-volume',
      join(folder, 'providers'),
      '--kubeconfig',
      api.kubeconfig,
      '--health-address',
      '127.0.0.1:0',
      `--kubelet-dir=${join(folder, 'kubelet')}`,
      '--require-mounted-volumes=false',
      ...PATIENT,
      ...args,
    ],
    { AWS_ENDPOINT_URL: aws.gate.url, AWS_REGION: REGION, ...env },
  );
  const log: string[] = [];
  const daemon = opening.use(
    await startDaemon(config, pino({ level: 'debug' }, { write: (line: string) => log.push(line) }), clock),
  );
  const client = opening.use(connect(config.socketPath, 120_000));
  const seed = await aws.seed(REGION);
  let targets = 0;

  async function newTarget(pod: Pod = POD): Promise<string> {
    targets += 1;
    const path = join(folder, 'kubelet', targetOf(pod, `volume-${targets}`));
    await mkdir(path, { recursive: true });
    return path;
  }

  async function mount(
    parameters: Readonly<Record<string, string>>,
    options: MountOptions = {},
  ): Promise<MountResponse> {
    const targetPath = options.targetPath ?? (await newTarget(options.pod));
    return await client.mount(requestFor(parameters, { ...options, targetPath }), options.signal ?? NEVER);
  }

  const opened = opening.move();
  return {
    aws,
    seed,
    api,
    folder,
    socketPath: config.socketPath,
    client,
    log,
    healthPort: daemon.healthPort,
    roleArn,
    newTarget,
    mount,
    async refused(parameters, options) {
      const thrown: unknown = await mount(parameters, options).then(
        () => 'mounted',
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(CallError);
      return thrown as CallError;
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The kubelet's path of a pod's volume, below its directory. */
export function targetOf({ name }: Pick<Pod, 'name'>, volume: string): string {
  return join('pods', `uid-of-${name}`, 'volumes', 'kubernetes.io~csi', volume, 'mount');
}

export function serviceAccount(namespace: string, name: string, roleArn: string) {
  const annotations = { 'eks.amazonaws.com/role-arn': roleArn };
  return { kind: 'ServiceAccount', metadata: { namespace, name, annotations } } as const;
}

/** A request in the form of driver 1.6. */
export function requestFor(
  parameters: Readonly<Record<string, string>>,
  { pod = POD, tokens = bothTokens(pod), currentVersions = [], targetPath = '' }: MountOptions,
): MountRequest {
  const csi = {
    'csi.storage.k8s.io/pod.name': pod.name,
    'csi.storage.k8s.io/pod.namespace': pod.namespace,
    'csi.storage.k8s.io/pod.uid': `uid-of-${pod.name}`,
    'csi.storage.k8s.io/serviceAccount.name': pod.serviceAccount,
    'csi.storage.k8s.io/ephemeral': 'true',
    'csi.storage.k8s.io/serviceAccount.tokens': JSON.stringify(
      Object.fromEntries(Object.entries(tokens).map(([audience, token]) => [audience, { token }])),
    ),
  };
  return {
    attributes: JSON.stringify({ ...parameters, secretProviderClass: 'class', ...csi }),
    secrets: 'null',
    targetPath,
    permission: '420',
    currentObjectVersion: currentVersions,
  };
}

function bothTokens({ namespace, serviceAccount: name }: Pod): Readonly<Record<string, string>> {
  const audiences = ['sts.amazonaws.com', 'pods.eks.amazonaws.com'];
  return Object.fromEntries(audiences.map((aud) => [aud, mintToken(`${namespace}/${name}`, { aud: [aud] })]));
}

/** Path → octal mode and text of every file that the pod sees. */
export async function contentsOf(targetPath: string): Promise<Readonly<Record<string, readonly [string, string]>>> {
  const { files } = finish(readVolume(targetPath));
  return Object.fromEntries(
    files.map(({ path, mode, value }) => [path, [mode.toString(8), value.exposeText()] as const]),
  );
}
