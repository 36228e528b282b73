import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServedMount } from '../../src/mount/serve.ts';
import { SecretBytes } from '../../src/model/secret-bytes.ts';
import type { MountCall } from '../../src/request/parse-request.ts';
import { mintToken } from '../fakes/aws/web-token.ts';
import { NAMESPACE, pathOfPod, pathOfStatus, podObject, statusObject, type WorkloadPlan } from './objects.ts';
import type { Surroundings } from './surroundings.ts';
import { emptyVolume, filesIn, writeFiles } from './volume-files.ts';

/** When a driver calls Mount again for what is mounted: never; for each volume every minute or so; or in its own rounds. */
export type DriverKind = 'without rotation' | '1.6' | '1.5';

/** A pod of a node, as its kubelet knows it. */
export interface SimulatedPod {
  readonly name: string;
  readonly plan: WorkloadPlan;
  readonly generation: number;
  readonly className: string;
  readonly targetPath: string;
  /** Set once its volume is mounted: from then on its containers run. */
  mountedAt?: number;
  /** What its containers read when they started. */
  startedWith?: ReadonlyMap<string, string>;
  /** The Mount call under way: a kubelet does one thing with a volume at a time. */
  calling?: Promise<unknown>;
  /** Set once the driver has emptied its volume. */
  emptiedAt?: number;
  /** Files that were in its volume when the driver took it away, after it had emptied it. */
  leftovers?: readonly string[];
}

/** The kubelet of a node with the CSI driver. */
export interface DriverModel {
  readonly pods: ReadonlySet<SimulatedPod>;
  /** Pods that have ended, in that order. */
  readonly ended: readonly SimulatedPod[];
  runPod(plan: WorkloadPlan, generation: number, name: string): SimulatedPod;
  /** The pod is asked to end, and has ended some seconds later. @param beforeUnmount is awaited before its volume is emptied */
  endPod(pod: SimulatedPod, beforeUnmount?: () => Promise<void>): Promise<void>;
}

export interface DriverDeps extends Surroundings {
  readonly node: string;
  readonly kubeletDir: string;
  readonly driver: DriverKind;
  /** Class parameters, as the driver reads them with each call. */
  parametersOf(className: string): Readonly<Record<string, string>>;
  /** Calls Mount. @returns undefined if the call failed, or if there is no provider */
  mount(call: MountCall, signal: AbortSignal): Promise<ServedMount | undefined>;
}

const MOUNT_TIMEOUT_MS = 110_000;
const LONGEST_RETRY_MS = 122_000;
const TOKEN_LIFE_SECONDS = 86_400;
const DRIVER_ROUND_MS = 120_000;
/** Longest time from a volume that is emptied to one that is no longer mounted. */
const UNMOUNT_MS = 2_000;

export function createDriver(deps: DriverDeps): DriverModel {
  const { clock, random, api, kubeletDir, driver, node, tell } = deps;
  const pods = new Set<SimulatedPod>();
  const ended: SimulatedPod[] = [];
  let sets = 0;

  function callFor({ name, plan, className, targetPath, mountedAt }: SimulatedPod): MountCall {
    const { account: serviceAccount } = plan;
    const exp = Math.floor(clock.wallNow() / 1_000) + TOKEN_LIFE_SECONDS;
    // Drivers before 1.6 leave out the pod's own attributes when they call again.
    const isComplete = driver !== '1.5' || mountedAt === undefined;
    return {
      targetPath,
      pod: { namespace: NAMESPACE, name, uid: `pod-${name}`, serviceAccount },
      tokens: new Map([
        ['sts.amazonaws.com', SecretBytes.fromText(mintToken(`${NAMESPACE}/${serviceAccount}`, { exp }))],
      ]),
      parameters: new Map(
        Object.entries({ ...deps.parametersOf(className), ...(isComplete && { secretProviderClass: className }) }),
      ),
      mode: 0o644,
    };
  }

  /** @returns whether it was served */
  async function mountOnce(pod: SimulatedPod): Promise<boolean> {
    const calling = deps.mount(callFor(pod), clock.timeout(MOUNT_TIMEOUT_MS));
    pod.calling = calling;
    const served = await calling;
    if (served === undefined || pod.emptiedAt !== undefined) {
      return false;
    }
    if (served.files !== undefined) {
      sets += 1;
      writeFiles(pod, served.files, `..driver.${sets}`);
    }
    api.put(statusObject(pod, served.versions));
    return true;
  }

  async function lookAfter(pod: SimulatedPod): Promise<void> {
    let retryMs = 500;
    while (pod.emptiedAt === undefined && !(await mountOnce(pod))) {
      await clock.sleep(retryMs);
      retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS);
    }
    if (pod.emptiedAt !== undefined) {
      return;
    }
    pod.mountedAt = clock.now();
    pod.startedWith = filesIn(pod);
    tell(`${pod.name} runs on ${node}`);
    if (driver === '1.6') {
      await republish(pod);
    }
  }

  async function republish(pod: SimulatedPod): Promise<void> {
    for (;;) {
      await clock.sleep(random.int(60_000, 90_000));
      if (pod.emptiedAt !== undefined) {
        return;
      }
      await mountOnce(pod);
    }
  }

  async function goRounds(): Promise<void> {
    await clock.sleep(random.int(0, DRIVER_ROUND_MS));
    for (;;) {
      await clock.sleep(DRIVER_ROUND_MS);
      for (const pod of pods) {
        if (pod.mountedAt !== undefined && pod.emptiedAt === undefined) {
          await mountOnce(pod);
        }
      }
    }
  }

  async function takeAway(pod: SimulatedPod): Promise<void> {
    pod.emptiedAt = clock.now();
    emptyVolume(pod);
    await clock.sleep(random.int(10, UNMOUNT_MS));
    pod.leftovers = [...filesIn(pod).keys()];
    pods.delete(pod);
    ended.push(pod);
    rmSync(dirname(pod.targetPath), { recursive: true, force: true });
  }

  if (driver === '1.5') {
    void goRounds();
  }
  return {
    pods,
    ended,
    runPod(plan, generation, name) {
      api.put(podObject(plan, generation, name, node));
      const targetPath = join(kubeletDir, 'pods', `pod-${name}`, 'volumes/kubernetes.io~csi/secrets/mount');
      mkdirSync(targetPath, { recursive: true });
      const pod = { name, plan, generation, className: plan.className, targetPath };
      pods.add(pod);
      void lookAfter(pod);
      return pod;
    },
    async endPod(pod, beforeUnmount) {
      const object = api.find(pathOfPod(pod.name));
      if (object !== undefined) {
        const deletionTimestamp = new Date(clock.wallNow()).toISOString();
        api.put({ ...object, metadata: { ...object.metadata, deletionTimestamp } });
      }
      await clock.sleep(random.int(1_000, 30_000));
      await beforeUnmount?.();
      await pod.calling;
      if (pod.emptiedAt === undefined) {
        await takeAway(pod);
        api.remove(pathOfStatus(pod));
        api.remove(pathOfPod(pod.name));
        tell(`${pod.name} has ended`);
      }
    },
  };
}
