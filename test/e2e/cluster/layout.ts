import { createHash } from 'node:crypto';
import path from 'node:path';

/** The root of the checkout. Everything the suite makes lies below `.cache/e2e` of it, which git ignores. */
export const CHECKOUT = path.resolve(import.meta.dirname, '../../..');

/** Built programs, kept between runs. */
export const BIN = path.join(CHECKOUT, '.cache/e2e/bin');

/** What one run leaves for a look: logs, kubeconfigs, results. Emptied when the next run starts. */
export const RUN = path.join(CHECKOUT, '.cache/e2e/run');

export const LOGS = path.join(RUN, 'logs');
/** Which processes run, so that any process of the suite can stop them. */
export const PROCESSES = path.join(RUN, 'processes');

export const CREDENTIALS = path.join(RUN, 'credentials');
export const CONFIG = path.join(RUN, 'config');
export const KUBECONFIG = path.join(RUN, 'kubeconfig');

/** Says where the cluster is; a scenario opens it by the path in `E2E_CLUSTER`. */
export const CLUSTER_FILE = path.join(RUN, 'cluster.json');

/** The same for a cluster given by `--kubeconfig`. It may be the one that another run of this checkout holds up. */
export const GIVEN_CLUSTER_FILE = path.join(CHECKOUT, '.cache/e2e/given/cluster.json');

/** What kubectl and Helm remember of the clusters they have seen. */
export const MEMORY = path.join(CHECKOUT, '.cache/e2e/memory');

/** The disks of the machines (etcd's data, the node's `/var`): survive a reboot of the node, not the run. */
export const DISK = path.join(RUN, 'disk');
export const NODE_VAR = path.join(DISK, 'node-var');

/** Two checkouts may run at once, so the cgroup is named after the checkout. */
export const CGROUP = `aws-secrets-csi-e2e-${createHash('sha256').update(CHECKOUT).digest('hex').slice(0, 8)}`;

/** The path of a built program by its usual name. */
export function program(name: string): string {
  return path.join(BIN, name);
}
