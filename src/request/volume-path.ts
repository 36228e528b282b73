import { posix } from 'node:path';
import { ProviderError } from '../model/errors.ts';
import type { MountCall } from './parse-request.ts';
import { quote } from '../text/quote.ts';

/** What the API server takes for the name of a volume: a DNS label. */
const VOLUME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const UID = /^[A-Za-z0-9][-A-Za-z0-9]{0,127}$/;

/**
 * Where the kubelet has a CSI volume of a pod.
 * @param kubeletDir the kubelet's root directory
 * @returns undefined for a uid or a name that no pod or volume can have
 */
export function volumePath(kubeletDir: string, uid: string, volume: string): string | undefined {
  return UID.test(uid) && VOLUME.test(volume)
    ? posix.resolve(kubeletDir, 'pods', uid, 'volumes', 'kubernetes.io~csi', volume, 'mount')
    : undefined;
}

/** Name of the pod's volume that the kubelet has at this very path; undefined where it has none there. */
export function volumeAt(targetPath: string, uid: string, kubeletDir: string): string | undefined {
  const volume = targetPath.split('/').at(-2) ?? '';
  return volumePath(kubeletDir, uid, volume) === targetPath ? volume : undefined;
}

/** @throws ProviderError InvalidRequest unless the call is for a volume of its own pod */
export function requireOwnVolume({ targetPath, pod }: Pick<MountCall, 'targetPath' | 'pod'>, kubeletDir: string): void {
  if (!UID.test(pod.uid)) {
    throw new ProviderError('InvalidRequest', `csi.storage.k8s.io/pod.uid ${quote(pod.uid)} is not the uid of a pod`);
  }
  if (volumeAt(targetPath, pod.uid, kubeletDir) === undefined) {
    const expected = posix.resolve(kubeletDir, 'pods', pod.uid, 'volumes', 'kubernetes.io~csi');
    throw new ProviderError(
      'InvalidRequest',
      `target_path ${quote(targetPath)} is not a volume of the pod: expected ${expected}/<volume>/mount; where the kubelet's --root-dir is another directory, name it in --kubelet-dir (in the chart: kubeletPath)`,
    );
  }
}
