import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type ProviderClient } from '../../../src/grpc/client.ts';
import type { MountResponse } from '../../../src/grpc/protocol.ts';
import type { KubeRest } from './kube-rest.ts';
import {
  attributesFor,
  makeOwner,
  noteStatus,
  type PodOptions,
  podObject,
  PODS,
  type StartedPod,
  statusPath,
} from './objects.ts';
import type { Provider, Start } from './provider.ts';

/** A node and its provider. The test acts as kubelet and driver. */
export interface ClusterNode extends AsyncDisposable {
  readonly name: string;
  /** Lines of the provider's log so far, including those before a restart. */
  readonly log: readonly string[];
  readonly provider: Provider;
  readonly client: ProviderClient;
  /** Starts a pod: its object, its volume, the driver's Mount call, and the driver's status for it. */
  startPod(name: string, options: PodOptions): Promise<StartedPod>;
  /** The driver's call for a running pod, and its status. */
  republish(pod: StartedPod): Promise<MountResponse>;
  /** The driver empties a volume that its pod no longer needs. */
  emptyVolume(pod: StartedPod): Promise<void>;
  /** Deletes a pod: the driver removes its volume, then the objects are deleted. */
  stopPod(pod: StartedPod): Promise<void>;
  /** Restarts the provider. @param meanwhile what happens while it is down. @param signal that ends its process */
  restart(meanwhile?: () => Promise<unknown>, signal?: NodeJS.Signals): Promise<void>;
  /** Lines of the log with this message, as objects. */
  said(msg: string): readonly Readonly<Record<string, unknown>>[];
  /** As `said`, of one pod. */
  saidOf(pod: StartedPod, msg: string): readonly Readonly<Record<string, unknown>>[];
}

export interface NodeSettings {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly kube: KubeRest;
  readonly start: Start;
}

/** In real time; the provider's may be far ahead. */
const CALL_MS = 3_600_000;
const NEVER = new AbortController().signal;

export async function startNode({ name, args, env, folder, kube, start }: NodeSettings): Promise<ClusterNode> {
  const sockets = join(folder, name, 'providers');
  const flags = [
    `--provider-volume=${sockets}`,
    '--health-address=127.0.0.1:0',
    `--node-name=${name}`,
    `--kubelet-dir=${join(folder, name)}`,
    '--require-mounted-volumes=false',
    ...args,
  ];
  const before: string[] = [];
  let provider = await start(flags, env);
  let client = connect(join(sockets, 'aws.sock'), CALL_MS);

  async function mount(pod: StartedPod): Promise<MountResponse> {
    const { targetPath } = pod;
    const attributes = await attributesFor(pod, kube);
    return await client.mount(
      { attributes, secrets: 'null', targetPath, permission: '420', currentObjectVersion: [] },
      NEVER,
    );
  }

  async function stop(signal?: NodeJS.Signals): Promise<void> {
    client[Symbol.dispose]();
    await provider.stop(signal);
    before.push(...provider.log);
  }

  function linesSoFar(): readonly string[] {
    return [...before, ...provider.log];
  }

  function said(msg: string): readonly Readonly<Record<string, unknown>>[] {
    return linesSoFar()
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter((line) => line['msg'] === msg);
  }

  return {
    name,
    get log() {
      return linesSoFar();
    },
    get provider() {
      return provider;
    },
    get client() {
      return client;
    },
    async startPod(podName, options) {
      await makeOwner(kube, options);
      const { metadata } = await kube.create(PODS, podObject(podName, name, options));
      const uid = metadata.uid ?? '';
      const targetPath = join(
        folder,
        name,
        'pods',
        uid,
        'volumes',
        'kubernetes.io~csi',
        options.volume ?? 'secrets',
        'mount',
      );
      await mkdir(targetPath, { recursive: true });
      options.prepare?.(targetPath);
      const pod = { ...options, name: podName, uid, targetPath };
      await noteStatus(pod, await mount(pod), name, kube);
      return pod;
    },
    async republish(pod) {
      const response = await mount(pod);
      await noteStatus(pod, response, name, kube);
      return response;
    },
    async emptyVolume({ targetPath }) {
      for (const entry of await readdir(targetPath)) {
        await rm(join(targetPath, entry), { recursive: true });
      }
    },
    async stopPod(pod) {
      await rm(pod.targetPath, { recursive: true, force: true });
      await kube.remove(statusPath(pod));
      await kube.remove(`${PODS}/${pod.name}`);
    },
    async restart(meanwhile, signal) {
      await stop(signal);
      await meanwhile?.();
      provider = await start(flags, env);
      client = connect(join(sockets, 'aws.sock'), CALL_MS);
    },
    said,
    saidOf: ({ name: pod }, msg) => said(msg).filter((line) => line['pod'] === pod),
    [Symbol.asyncDispose]: () => stop(),
  };
}
