import { readFile } from 'node:fs/promises';
import type { DriverOptions } from './driver.ts';
import { resumeDriver, startDriver, stopDriver } from './driver.ts';
import type { ToolOptions } from './kubernetes-tools.ts';
import { apply, helm, kubectl } from './kubernetes-tools.ts';
import { bootNode, ctr, cutPower, nodePath, runInNode, startKubelet } from './node.ts';
import { nodeIsReady } from './node-status.ts';

/** Written by the starter of the cluster; all that the rest of the suite knows about it. */
export interface ClusterFacts {
  /** False for a cluster given by `--kubeconfig`: what belongs to the machine below it is then refused. */
  readonly owned: boolean;
  readonly kubeconfig: string;
  readonly apiPort: number;
  readonly nodeName: string;
  /** An image with a shell and the usual small programs. */
  readonly appImage: string;
  /** Under this address pods reach a server that listens in the process of a scenario. */
  readonly hostAddress: string;
}

export interface Cluster extends ClusterFacts {
  kubectl(args: readonly string[], options?: ToolOptions): Promise<string>;
  /** Runs `kubectl get … --output=json` and returns what it read. */
  get(...args: readonly string[]): Promise<unknown>;
  /** Applies objects, or the text of a manifest. */
  apply(manifest: string | readonly object[]): Promise<void>;
  /** Values can be given as `input` with `--values=-`. */
  helm(args: readonly string[], options?: ToolOptions): Promise<string>;

  /** Starts the Secrets Store CSI driver and returns when the kubelet knows it. It is on, with the defaults, at the start. */
  startDriver(options?: DriverOptions): Promise<void>;
  stopDriver(): Promise<void>;
  restartDriver(options?: DriverOptions): Promise<void>;

  /** Cuts the node's power: all processes on it are killed, its mounts and /run are lost, its disk stays. */
  stopNode(): Promise<void>;
  /** Switches it on again, the driver too if that was on, and returns when it is ready. */
  startNode(): Promise<void>;

  /** Makes an image known to the node, from a tar that `images.ts` made. */
  importImage(tarFile: string): Promise<void>;
  /** Runs a command on the node, in its mount and process namespaces. */
  runInNode(command: readonly string[]): Promise<string>;
  /** Where this process finds a file of the node, such as one in a pod's volume; no longer true after a reboot. */
  nodePath(file: string): Promise<string>;
}

/** Opens the cluster the suite runs against, by the environment variable that its entry sets. */
export async function openCluster(): Promise<Cluster> {
  const file = process.env['E2E_CLUSTER'];
  if (file === undefined) {
    throw new Error('E2E_CLUSTER is not set: scenarios are run by "npm run e2e", which brings a cluster up');
  }
  const facts: ClusterFacts = JSON.parse(await readFile(file, 'utf8'));
  return clusterOf(facts);
}

export function clusterOf(facts: ClusterFacts): Cluster {
  const { kubeconfig } = facts;
  /** Wraps what needs a machine of ours. */
  function owned<A extends unknown[], R>(what: string, work: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
    return async (...args) => {
      if (!facts.owned) {
        throw new Error(`${what} is not possible on a cluster given by --kubeconfig`);
      }
      return work(...args);
    };
  }
  return {
    ...facts,
    kubectl: (args, options) => kubectl(kubeconfig, args, options),
    get: async (...args) => JSON.parse(await kubectl(kubeconfig, ['get', ...args, '--output=json'])),
    apply: (manifest) => apply(kubeconfig, manifest),
    helm: (args, options) => helm(kubeconfig, args, options),
    startDriver: owned('starting the driver', startDriver),
    stopDriver: owned('stopping the driver', stopDriver),
    restartDriver: owned('restarting the driver', async (options?: DriverOptions) => {
      await stopDriver();
      await startDriver(options);
    }),
    stopNode: owned('switching the node off', cutPower),
    startNode: owned('switching the node on', async () => {
      const since = new Date();
      await bootNode();
      await startKubelet();
      await Promise.all([resumeDriver(), nodeIsReady(kubeconfig, facts.nodeName, since)]);
    }),
    importImage: owned('importing an image', async (tarFile: string) => void (await ctr('images', 'import', tarFile))),
    runInNode: owned('running a command on the node', (command: readonly string[]) => runInNode(command)),
    nodePath: owned('reading a file of the node', nodePath),
  };
}
