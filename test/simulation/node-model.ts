import { join } from 'node:path';
import { pino } from 'pino';
import { readConfig } from '../../src/config/config.ts';
import { type NodeProvider, openNode } from '../../src/daemon/node.ts';
import type { ServedMount } from '../../src/mount/serve.ts';
import type { MountCall } from '../../src/request/parse-request.ts';
import type { KubeObject } from '../fakes/kube/kube-object.ts';
import { createDriver, type DriverDeps, type DriverModel } from './driver-model.ts';
import { type Process, startProcess } from './process.ts';
import type { Surroundings } from './surroundings.ts';

/** A machine: its kubelet with the driver, and the provider that runs on it. */
export interface NodeModel extends DriverModel {
  readonly name: string;
  /** By which its wall clock is ahead, in milliseconds. */
  skewMs: number;
  /** Until when its clock was wrong by hours: 0 if never, Infinity if it is now. */
  wrongUntil: number;
  /** When its provider was last killed. */
  readonly killedAt: number;
  start(): void;
  /** The provider's process ends at whatever it waits for. */
  kill(): void;
  /** A change event reaches it. */
  announce(secret: string): void;
}

export interface NodeDeps extends Surroundings, Pick<DriverDeps, 'driver' | 'parametersOf'> {
  readonly folder: string;
  readonly flags: readonly string[];
  /** Is told of each object that a provider has written. */
  onWrite(node: string, object: KubeObject): void;
}

export function createNode(name: string, deps: NodeDeps): NodeModel {
  const { clock, aws, api } = deps;
  const kubeletDir = join(deps.folder, name);
  let running: { readonly process: Process; readonly provider: NodeProvider } | undefined;
  const config = readConfig(
    [
      `--node-name=${name}`,
      `--kubelet-dir=${kubeletDir}`,
      '--require-mounted-volumes=false',
      '--aws-region=eu-central-1',
      '--enable-secret-rotation',
      '--sync-secret',
      '--restart-on-rotation',
      ...deps.flags,
    ],
    {},
  );

  async function mount(call: MountCall, signal: AbortSignal): Promise<ServedMount | undefined> {
    if (running === undefined) {
      return undefined;
    }
    const serving = running.provider.serveMount(call, signal).catch(() => undefined);
    // A driver sees the connection break when the process ends.
    return (await Promise.race([serving, running.process.killed])) ?? undefined;
  }

  const node = {
    ...createDriver({ ...deps, node: name, kubeletDir, mount }),
    name,
    skewMs: 0,
    wrongUntil: 0,
    killedAt: Number.NEGATIVE_INFINITY,
    start() {
      const process = startProcess(clock, () => node.skewMs);
      const kube = api.kubeFor(name, process, (object) => deps.onWrite(name, object));
      const clients = aws.clientsFor(name, process);
      running = {
        process,
        provider: openNode(config, { clock: process.clock, log: pino({ level: 'silent' }), kube, clients }),
      };
    },
    kill() {
      running?.process.kill();
      running = undefined;
      node.killedAt = clock.now();
    },
    announce(secret: string) {
      running?.provider.onChangeEvents(({ primary }) => primary.name === secret);
    },
  };
  return node;
}
