import { expect, it } from 'vitest';
import { createTimeSlices } from '../concurrency/time-slices.ts';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { NodePod, ProviderClass } from '../model/kube-objects.ts';
import type { MountCall } from '../request/parse-request.ts';
import { createVolumes } from '../mount/volume/volumes.ts';
import { createNodeMounts } from './node-mounts.ts';
import { discoverMounts, type DiscoverDeps } from './discover-mounts.ts';

const NEVER = new AbortController().signal;
const KUBELET = '/var/lib/kubelet';

function targetOf(uid: string, volume = 'secrets'): string {
  return `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/${volume}/mount`;
}

function pod(name: string, changes: Partial<NodePod> = {}): NodePod {
  const ref = { namespace: 'shop', name, uid: `uid-${name}`, serviceAccount: 'web' };
  return {
    ref,
    hasEnded: false,
    isTerminating: false,
    labels: new Map(),
    owner: { apiVersion: 'v1', kind: 'Pod', name, uid: ref.uid },
    volumes: new Map([['secrets', new Map([['secretProviderClass', 'shop']])]]),
    ...changes,
  };
}

function call(name: string, changes: Partial<MountCall> = {}): MountCall {
  return {
    targetPath: targetOf(`uid-${name}`),
    pod: pod(name).ref,
    tokens: new Map(),
    parameters: new Map([['secretProviderClass', 'shop']]),
    mode: 0o644,
    ...changes,
  };
}

function withVolume(volume: string, className: string): Partial<NodePod> {
  return { volumes: new Map([[volume, new Map([['secretProviderClass', className]])]]) };
}

/** A node, its pods on the API server and its volumes. @param filled the pods whose volumes have files */
function nodeOf(pods: readonly NodePod[], filled: readonly string[] = [], provider = 'aws'): DiscoverDeps {
  return {
    kubeletDir: KUBELET,
    volumes: {
      ...createVolumes({ clock: SYSTEM_CLOCK, slices: createTimeSlices(SYSTEM_CLOCK) }),
      isFilled: async (path) => filled.some((name) => path === targetOf(`uid-${name}`)),
    },
    providerName: 'aws',
    listPods: async () => pods,
    podOf: async ({ uid }) => pods.find(({ ref }) => ref.uid === uid),
    classOf: async (namespace, name): Promise<ProviderClass> => {
      if (name === 'deleted') {
        throw new ProviderError('ClassMissing', 'gone');
      }
      return { namespace, name, provider, parameters: new Map(), annotations: new Map(), secretObjects: undefined };
    },
  };
}

it('finds mounts that are older than this process', async () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);
  const deps = nodeOf([pod('web-1'), pod('web-2')], ['web-1', 'web-2']);

  const { found, removed } = await discoverMounts(mounts, deps, NEVER);

  expect(removed).toEqual([]);
  expect(found).toMatchObject([
    { targetPath: targetOf('uid-web-1'), volume: 'secrets', className: 'shop' },
    { targetPath: targetOf('uid-web-2') },
  ]);
  expect(mounts.get(targetOf('uid-web-1'))).toBe(found[0]);
});

it('finds the mount of a terminating pod, because it may run for a while', async () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);

  const { found } = await discoverMounts(mounts, nodeOf([pod('web-1', { isTerminating: true })], ['web-1']), NEVER);

  expect(found).toMatchObject([{ targetPath: targetOf('uid-web-1') }]);
});

it.for<readonly [string, readonly NodePod[], readonly string[], string?]>([
  ['not mounted yet', [pod('web-1')], []],
  ['of a pod at its end', [pod('web-1', { hasEnded: true })], ['web-1']],
  ["of another provider's class", [pod('web-1')], ['web-1'], 'azure'],
  ['of a class that cannot be read', [pod('web-1', withVolume('secrets', 'deleted'))], ['web-1']],
  ['with a name that leads elsewhere', [pod('web-1', withVolume('../../../uid-web-2/volumes/x', 'shop'))], ['web-1']],
])('ignores a volume %s', async ([, pods, filled, provider]) => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);

  const { found } = await discoverMounts(mounts, nodeOf(pods, filled, provider), NEVER);

  expect(found).toEqual([]);
  expect([...mounts.all()]).toEqual([]);
});

it('removes mounts whose pods were deleted or have ended, and no others', async () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);
  for (const name of ['stays', 'gone', 'terminating', 'ended']) {
    mounts.learnCall(call(name));
  }

  const pods = [pod('stays'), pod('terminating', { isTerminating: true }), pod('ended', { hasEnded: true })];
  const { removed } = await discoverMounts(mounts, nodeOf(pods), NEVER);

  expect(removed.map((mount) => mount.pod.name).toSorted()).toEqual(['ended', 'gone']);
  expect([...mounts.all()].map((mount) => mount.pod.name)).toEqual(['stays', 'terminating']);
});

it('keeps a mount whose pod is too new to be in the list', async () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);
  mounts.learnCall(call('new'));
  const deps = nodeOf([pod('new')]);

  const { removed } = await discoverMounts(mounts, { ...deps, listPods: async () => [] }, NEVER);

  expect(removed).toEqual([]);
  expect(mounts.get(targetOf('uid-new'))).toBeDefined();
});

it('knows the pod of a mount afterwards', async () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);
  mounts.learnCall(call('web-1'));

  await discoverMounts(mounts, nodeOf([pod('web-1')], ['web-1']), NEVER);

  expect(mounts.get(targetOf('uid-web-1'))?.nodePod).toEqual(pod('web-1'));
});

it('changes nothing if the API server does not answer', async () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);
  mounts.learnCall(call('web-1'));
  const deps = nodeOf([]);

  const discovered = discoverMounts(
    mounts,
    { ...deps, listPods: () => Promise.reject(new ProviderError('KubernetesUnavailable', 'down')) },
    NEVER,
  );

  await expect(discovered).rejects.toThrow('down');
  expect([...mounts.all()]).toHaveLength(1);
});

it('keeps what it knows about a mount when the driver calls again, with the newer tokens', () => {
  const mounts = createNodeMounts(SYSTEM_CLOCK, KUBELET);
  const first = mounts.learnCall(call('web-1'));
  const tokens = new Map();

  const again = mounts.learnCall(call('web-1', { tokens, parameters: new Map([['objects', '[]']]) }));

  expect(again).toBe(first);
  expect(again?.tokens).toBe(tokens);
  expect(again?.parameters).toEqual(new Map([['secretProviderClass', 'shop']]));
});
