import { expect, it } from 'vitest';
import { requireOwnVolume, volumeAt, volumePath } from './volume-path.ts';

const KUBELET = '/var/lib/kubelet';
const TARGET = `${KUBELET}/pods/uid-1/volumes/kubernetes.io~csi/secrets/mount`;

it("is the kubelet's path of a pod's volume", () => {
  expect(volumePath(KUBELET, 'uid-1', 'secrets')).toBe(TARGET);
  expect(volumePath(`${KUBELET}/`, 'uid-1', 'secrets')).toBe(TARGET);
  expect(volumeAt(TARGET, 'uid-1', KUBELET)).toBe('secrets');
});

it.for([
  `${TARGET}/`,
  TARGET.replace('uid-1', 'uid-2'),
  TARGET.replace('uid-1', '.'),
  TARGET.replace('/pods/', '//pods/'),
  TARGET.replace('/secrets/', '/./secrets/'),
  TARGET.replace('/secrets/', '/secrets/../secrets/'),
  TARGET.replace('secrets', '..'),
  TARGET.replace('secrets', 'a.b'),
  TARGET.replace('secrets', 'a/b'),
  TARGET.replace('secrets', 'Secrets'),
  TARGET.replace('secrets', '-a'),
  TARGET.replace('secrets', 'a'.repeat(64)),
  TARGET.replace('secrets/', 'secrets\n/'),
  TARGET.replace('~csi', '~empty-dir'),
  TARGET.replace(KUBELET, '/mnt/kubelet'),
  TARGET.replace(KUBELET, ''),
  `${KUBELET}/pods/uid-2/volumes/kubernetes.io~empty-dir/x${TARGET.slice(KUBELET.length)}`,
  '/etc',
  '',
])('does not accept "%s" as a volume of the pod', (targetPath) => {
  const pod = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' };

  expect(volumeAt(targetPath, 'uid-1', KUBELET)).toBeUndefined();
  expect(() => requireOwnVolume({ targetPath, pod }, KUBELET)).toThrow(/^target_path .*--kubelet-dir.*kubeletPath/);
});

it.for(['..', '.', '', 'a/b', 'a.b', '../uid-1', 'uid-1\0', 'uid-1\n', '-a'])(
  'does not accept "%s" as a uid',
  (uid) => {
    const targetPath = `${KUBELET}/pods/${uid}/volumes/kubernetes.io~csi/secrets/mount`;
    const pod = { namespace: 'shop', name: 'web-1', uid, serviceAccount: 'web' };

    expect(volumePath(KUBELET, uid, 'secrets')).toBeUndefined();
    expect(() => requireOwnVolume({ targetPath, pod }, KUBELET)).toThrow('csi.storage.k8s.io/pod.uid');
  },
);
