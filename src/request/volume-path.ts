import { posix } from 'node:path';
import { ProviderError } from '../model/errors.ts';
import type { MountCall } from './parse-request.ts';
import { quote } from '../text/quote.ts';

/** Names of volumes are DNS labels. */
const VOLUME = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const UID = /^[A-Za-z0-9][-A-Za-z0-9]{0,127}$/;

/**
 * The path at which the kubelet mounts a CSI volume of a pod.
 * @param kubeletDir the kubelet's root directory
 * @returns undefined for an invalid uid or name
 */
export function volumePath(kubeletDir: string, uid: string, volume: string): string | undefined {
  return UID.test(uid) && VOLUME.test(volume)
    ? posix.resolve(kubeletDir, 'pods', uid, 'volumes', 'kubernetes.io~csi', volume, 'mount')
    : undefined;
}

/** @returns the name of the pod's volume at exactly this path; undefined if there is none */
export function volumeAt(targetPath: string, uid: string, kubeletDir: string): string | undefined {
  const volume = targetPath.split('/').at(-2) ?? '';
  return volumePath(kubeletDir, uid, volume) === targetPath ? volume : undefined;
}

/** @throws ProviderError InvalidRequest unless the target path is a volume of the calling pod */
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
