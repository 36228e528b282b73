import { kubectl } from './kubernetes-tools.ts';
import { waitFor } from './wait.ts';

interface NodeObject {
  readonly status: {
    readonly conditions: readonly {
      readonly type: string;
      readonly status: string;
      readonly lastHeartbeatTime: string;
    }[];
  };
}

/** Waits until the kubelet has reported the node ready after a moment; what it said before a reboot does not count. */
export async function nodeIsReady(kubeconfig: string, nodeName: string, since: Date): Promise<void> {
  async function isReady(): Promise<boolean> {
    const node: NodeObject = JSON.parse(await kubectl(kubeconfig, ['get', 'node', nodeName, '--output=json']));
    const ready = node.status.conditions.find((condition) => condition.type === 'Ready');
    // The API keeps whole seconds.
    return ready?.status === 'True' && Date.parse(ready.lastHeartbeatTime) >= since.getTime() - 1_000;
  }
  await waitFor(`node ${nodeName} is ready`, isReady, { timeoutMs: 90_000, everyMs: 300 });
}
