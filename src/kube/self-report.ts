import type { Logger } from '../observability/logger.ts';
import { NAME } from '../model/version.ts';
import type { Kube } from './client.ts';
import { createEventRecorder } from './events.ts';
import type { KubeSettings } from './settings.ts';

/** Reports problems of the node as Warning events of the provider's own pod. Does nothing if that pod is not known. Never throws. */
export function createSelfReport(
  kube: Kube,
  { ownPod, nodeName, timeoutMs }: Pick<KubeSettings, 'ownPod' | 'nodeName' | 'timeoutMs'>,
  log: Logger,
): (message: string) => void {
  const record = createEventRecorder(kube, { component: NAME, ...(nodeName !== undefined && { nodeName }) }, log);
  return (message) => {
    if (ownPod !== undefined) {
      const pod = { ...ownPod, serviceAccount: '' };
      void record({ pod, type: 'Warning', reason: 'SocketTaken', message }, kube.clock.timeout(timeoutMs));
    }
  };
}
