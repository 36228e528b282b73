import type { Cluster } from '../cluster/cluster.ts';
import { ctr } from '../cluster/node.ts';
import { waitFor } from '../cluster/wait.ts';
import { PROVIDER_NAMESPACE } from './release.ts';

interface PodList {
  readonly items: readonly ProviderPod[];
}

export interface ProviderPod {
  readonly metadata: { readonly name: string; readonly uid: string };
  readonly status: {
    readonly containerStatuses: readonly [
      { readonly containerID: string; readonly ready: boolean; readonly restartCount: number },
    ];
  };
}

/** The one pod of a release, on the one node of our cluster. */
export async function providerPod(cluster: Cluster, release: string): Promise<ProviderPod> {
  const selector = `--selector=app.kubernetes.io/instance=${release}`;
  const { items } = (await cluster.get('pods', `--namespace=${PROVIDER_NAMESPACE}`, selector)) as PodList;
  const [pod] = items;
  if (pod === undefined) {
    throw new Error(`release ${release} has no pod`);
  }
  return pod;
}

/** As when memory runs out: the provider gets no chance to put anything in order. */
export async function killProvider(pod: ProviderPod): Promise<void> {
  const [{ containerID }] = pod.status.containerStatuses;
  await ctr('tasks', 'kill', '--signal', 'SIGKILL', containerID.replace('containerd://', ''));
}

/** The same for the provider and what its pod runs in; the kubelet makes both anew, with another address. */
export async function killProviderPod(pod: ProviderPod): Promise<void> {
  const filter = `labels."io.kubernetes.pod.uid"==${pod.metadata.uid},labels."io.cri-containerd.kind"==sandbox`;
  const sandbox = (await ctr('containers', 'list', '--quiet', filter)).trim();
  await killProvider(pod);
  await ctr('tasks', 'kill', '--signal', 'SIGKILL', sandbox);
}

/** Waits until the pod's provider has been started more often than before, and answers. */
export async function providerIsBack(cluster: Cluster, release: string, before: ProviderPod): Promise<void> {
  await waitFor(
    `${release} is back`,
    async () => {
      const [now] = (await providerPod(cluster, release)).status.containerStatuses;
      return now.ready && now.restartCount > before.status.containerStatuses[0].restartCount;
    },
    { timeoutMs: 90_000, everyMs: 500 },
  );
}
