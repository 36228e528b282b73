import { mkdir, writeFile } from 'node:fs/promises';
import { makeCredentials, NODE_NAME } from './certificates.ts';
import type { Cluster, ClusterFacts } from './cluster.ts';
import { clusterOf } from './cluster.ts';
import { startApiServer, startControllers, startEtcd } from './control-plane.ts';
import { startDriver } from './driver.ts';
import { APP_IMAGE, makeAppImage, makePauseImage } from './images.ts';
import { kubectl } from './kubernetes-tools.ts';
import { CLUSTER_FILE, DISK, KUBECONFIG, LOGS } from './layout.ts';
import { NODE_ADDRESS, setUpNetwork } from './network.ts';
import { bootNode, ctr, prepareNode, startKubelet } from './node.ts';
import { nodeIsReady } from './node-status.ts';
import { progress } from './progress.ts';
import { waitFor } from './wait.ts';

/** Brings the cluster up in the empty machine this process is the first of. */
export async function bringUp(apiPort: number): Promise<Cluster> {
  const since = new Date();
  await Promise.all([mkdir(DISK, { recursive: true }), mkdir(LOGS, { recursive: true })]);
  await setUpNetwork();
  await makeCredentials(apiPort);
  const facts: ClusterFacts = {
    owned: true,
    kubeconfig: KUBECONFIG,
    apiPort,
    nodeName: NODE_NAME,
    appImage: APP_IMAGE,
    hostAddress: NODE_ADDRESS,
  };
  await writeFile(CLUSTER_FILE, JSON.stringify(facts));

  await Promise.all([
    startEtcd().then(() => startApiServer(apiPort)),
    prepareNode()
      .then(bootNode)
      .then(() => Promise.all([makePauseImage(), makeAppImage()]))
      .then((images) => Promise.all(images.map((image) => ctr('images', 'import', image)))),
  ]);
  progress('API server and containerd answer');

  await Promise.all([startControllers(), startKubelet()]);
  await Promise.all([startDriver(), nodeIsReady(KUBECONFIG, NODE_NAME, since), defaultAccountExists()]);
  progress('the node is ready and the CSI driver registered');
  return clusterOf(facts);
}

/** No pod can be made before the controllers have made it. */
async function defaultAccountExists(): Promise<void> {
  const args = ['get', 'serviceaccount', 'default', '--output=name'];
  await waitFor('the default service account exists', () => kubectl(KUBECONFIG, args), {
    timeoutMs: 60_000,
    everyMs: 200,
  });
}
