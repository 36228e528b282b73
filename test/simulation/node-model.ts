import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pino } from 'pino';
import type { Clock } from '../../src/concurrency/clock.ts';
import { readConfig } from '../../src/config/config.ts';
import { type NodeProvider, openNode } from '../../src/daemon/node.ts';
import { SecretBytes } from '../../src/model/secret-bytes.ts';
import type { MountCall } from '../../src/request/parse-request.ts';
import { mintToken } from '../fakes/aws/web-token.ts';
import type { KubeObject } from '../fakes/kube/kube-object.ts';
import type { Random } from '../fakes/random.ts';
import type { ApiServerModel } from './api-server-model.ts';
import type { AwsModel } from './aws-model.ts';
import { NAMESPACE, pathOfPod, pathOfStatus, podObject, statusObject, type WorkloadPlan } from './objects.ts';
import { type Process, startProcess } from './process.ts';

/** A pod of a node, as its kubelet knows it. */
export interface SimulatedPod {
  readonly name: string;
  readonly plan: WorkloadPlan;
  readonly className: string;
  readonly targetPath: string;
  readonly startedAt: number;
  /** Set once its volume is mounted: from then on its containers run. */
  mountedAt?: number;
  /** Set once its volume has been taken away. */
  endedAt?: number;
}

/** A machine: its kubelet with the driver, and the provider that runs on it. */
export interface NodeModel {
  readonly name: string;
  readonly pods: ReadonlySet<SimulatedPod>;
  /** By which its wall clock is ahead, in milliseconds. */
  skewMs: number;
  start(): void;
  /** The provider's process ends at whatever it waits for. */
  kill(): void;
  runPod(plan: WorkloadPlan, generation: number, name: string): SimulatedPod;
  /** The pod is asked to end, and has ended some seconds later. */
  endPod(pod: SimulatedPod): Promise<void>;
}

export interface NodeDeps {
  readonly world: Clock;
  readonly random: Random;
  readonly aws: AwsModel;
  readonly api: ApiServerModel;
  readonly folder: string;
  readonly flags: readonly string[];
  /** The driver asks again for what is mounted, every minute or so. */
  readonly republishes: boolean;
  /** Class parameters, as the driver reads them with each call. */
  parametersOf(className: string): Readonly<Record<string, string>>;
  /** Is told of each object that a provider has written. */
  onWrite(node: string, object: KubeObject): void;
  /** A line of the story. */
  tell(line: string): void;
}

const MOUNT_TIMEOUT_MS = 110_000;
const LONGEST_RETRY_MS = 122_000;
const TOKEN_LIFE_SECONDS = 86_400;

export function createNode(name: string, deps: NodeDeps): NodeModel {
  const { world, random, aws, api, folder, tell } = deps;
  const pods = new Set<SimulatedPod>();
  const kubeletDir = join(folder, name);
  let skewMs = 0;
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

  function callFor({ name: podName, plan, className, targetPath }: SimulatedPod): MountCall {
    const { account: serviceAccount } = plan;
    const exp = Math.floor(world.wallNow() / 1_000) + TOKEN_LIFE_SECONDS;
    return {
      targetPath,
      pod: { namespace: NAMESPACE, name: podName, uid: `pod-${podName}`, serviceAccount },
      tokens: new Map([
        ['sts.amazonaws.com', SecretBytes.fromText(mintToken(`${NAMESPACE}/${serviceAccount}`, { exp }))],
      ]),
      parameters: new Map(Object.entries({ ...deps.parametersOf(className), secretProviderClass: className })),
      mode: 0o644,
    };
  }

  /** @returns whether it was served */
  async function mountOnce(pod: SimulatedPod): Promise<boolean> {
    const current = running;
    if (current === undefined) {
      return false;
    }
    const serving = current.provider.serveMount(callFor(pod), world.timeout(MOUNT_TIMEOUT_MS));
    // A driver sees the connection break when the process ends.
    const served = await Promise.race([serving.catch(() => undefined), current.process.killed]);
    if (served === undefined || pod.endedAt !== undefined) {
      return false;
    }
    // With files of its own the driver notes what it is told.
    api.put(statusObject(pod, served.versions));
    return true;
  }

  async function lookAfter(pod: SimulatedPod): Promise<void> {
    let retryMs = 500;
    while (pod.endedAt === undefined && !(await mountOnce(pod))) {
      await world.sleep(retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
    pod.mountedAt = world.now();
    tell(`${pod.name} runs on ${name}`);
    while (deps.republishes) {
      await world.sleep(random.int(60_000, 90_000));
      if (pod.endedAt !== undefined) {
        return;
      }
      await mountOnce(pod);
    }
  }

  return {
    name,
    pods,
    get skewMs() {
      return skewMs;
    },
    set skewMs(next) {
      skewMs = next;
    },
    start() {
      const process = startProcess(world, () => skewMs);
      const kube = api.kubeFor(name, process, (object) => deps.onWrite(name, object));
      const clients = aws.clientsFor(name, process);
      running = {
        process,
        provider: openNode(config, { clock: process.clock, kube, clients }, pino({ level: 'silent' })),
      };
    },
    kill() {
      running?.process.kill();
      running = undefined;
    },
    runPod(plan, generation, podName) {
      api.put(podObject(plan, generation, podName, name));
      const targetPath = join(kubeletDir, 'pods', `pod-${podName}`, 'volumes/kubernetes.io~csi/secrets/mount');
      mkdirSync(targetPath, { recursive: true });
      const pod = { name: podName, plan, className: plan.className, targetPath, startedAt: world.now() };
      pods.add(pod);
      void lookAfter(pod);
      return pod;
    },
    async endPod(pod: SimulatedPod) {
      const object = api.find(pathOfPod(pod.name));
      if (object !== undefined) {
        const deletionTimestamp = new Date(world.wallNow()).toISOString();
        api.put({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
      }
      await world.sleep(random.int(1_000, 30_000));
      pod.endedAt = world.now();
      pods.delete(pod);
      rmSync(dirname(pod.targetPath), { recursive: true, force: true });
      api.remove(pathOfStatus(pod));
      api.remove(pathOfPod(pod.name));
      tell(`${pod.name} has ended`);
    },
  };
}
