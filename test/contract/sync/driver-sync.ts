import { contentsOf } from '../daemon/node.ts';
import { NAMESPACE, type StartedPod, type TestCluster, versionsOf } from '../rotation/cluster.ts';
import { SECRETS } from './synced.ts';

/** In the driver these are five seconds and five minutes. */
const OWNERS_EVERY = 5;
const REQUEUE_EVERY = 15;
const TICK_MS = 100;

/**
 * The driver's own sync on one node, as in 1.6, but faster: when a status changes, and periodically, it replaces the whole Secret by the pod's
 * file, without owners, which it restores a while later.
 * @param name of the Secret, and of the file that is its key `password`
 * @returns how often it has replaced the Secret
 */
export async function playDriver(
  cluster: TestCluster,
  name: string,
  pod: StartedPod,
  signal: AbortSignal,
): Promise<number> {
  let noted = '';
  let puts = 0;
  for (let tick = 1; !signal.aborted; tick++) {
    const versions = JSON.stringify(await versionsOf(cluster.kube, pod));
    if (versions !== noted || tick % REQUEUE_EVERY === 0) {
      noted = versions;
      const [, value = ''] = (await contentsOf(pod.targetPath))[name] ?? [];
      cluster.api.put({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { namespace: NAMESPACE, name, labels: { 'secrets-store.csi.k8s.io/managed': 'true' } },
        type: 'Opaque',
        data: { password: Buffer.from(value).toString('base64') },
      });
      puts += 1;
    }
    const stored = cluster.api.find(`${SECRETS}/${name}`);
    const owners = stored?.metadata.ownerReferences ?? [];
    if (pod.owner !== undefined && tick % OWNERS_EVERY === 0 && !owners.some(({ uid }) => uid === pod.owner?.uid)) {
      await cluster.kube.patch(`${SECRETS}/${name}`, { metadata: { ownerReferences: [...owners, pod.owner] } });
    }
    await cluster.clock.sleep(TICK_MS);
  }
  return puts;
}
