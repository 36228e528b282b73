import { expect, it } from 'vitest';
import { ProviderError } from '../errors.ts';
import type { MountStatus, NodePod, ProviderClass } from '../spec/kube-objects.ts';
import type { MountCall } from '../spec/parse-request.ts';
import { createNodeMounts, volumeOf } from './node-mounts.ts';
import { survey, type SurveyDeps } from './survey.ts';

const NEVER = new AbortController().signal;

function targetOf(uid: string, volume = 'secrets'): string {
  return `/var/lib/kubelet/pods/${uid}/volumes/kubernetes.io~csi/${volume}/mount`;
}

function pod(name: string, changes: Partial<NodePod> = {}): NodePod {
  const ref = { namespace: 'shop', name, uid: `uid-${name}`, serviceAccount: 'web' };
  return {
    ref,
    isOver: false,
    owner: { apiVersion: 'v1', kind: 'Pod', name, uid: ref.uid },
    volumes: new Map([['secrets', new Map([['secretProviderClass', 'shop']])]]),
    ...changes,
  };
}

function status(name: string, changes: Partial<MountStatus> = {}): MountStatus {
  return {
    namespace: 'shop',
    podName: name,
    className: 'shop',
    targetPath: targetOf(`uid-${name}`),
    isMounted: true,
    versions: new Map([['db', 'v1']]),
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

/** A node as the API server tells of it, and how often it is asked for statuses. */
function nodeOf(pods: readonly NodePod[], statuses: readonly MountStatus[] = [], provider = 'aws') {
  const asked = { statuses: 0 };
  const deps: SurveyDeps = {
    providerName: 'aws',
    listPods: async () => pods,
    podOf: async ({ uid }) => pods.find(({ ref }) => ref.uid === uid),
    listStatuses: async () => {
      asked.statuses += 1;
      return statuses;
    },
    classOf: async (namespace, name): Promise<ProviderClass> => {
      if (name === 'deleted') {
        throw new ProviderError('ClassMissing', 'gone');
      }
      return { namespace, name, provider, parameters: new Map(), annotations: new Map(), secretObjects: undefined };
    },
  };
  return { deps, asked };
}

it('finds the mounts that were there before this process', async () => {
  const mounts = createNodeMounts();
  const { deps } = nodeOf([pod('web-1'), pod('web-2')], [status('web-1'), status('web-2')]);

  const { found, gone } = await survey(mounts, deps, NEVER);

  expect(gone).toEqual([]);
  expect(found).toMatchObject([
    { targetPath: targetOf('uid-web-1'), volume: 'secrets', className: 'shop', noted: new Map([['db', 'v1']]) },
    { targetPath: targetOf('uid-web-2') },
  ]);
  expect(mounts.get(targetOf('uid-web-1'))).toBe(found[0]);
});

it.for<readonly [string, readonly NodePod[], readonly MountStatus[], string?]>([
  ['not mounted yet', [pod('web-1')], []],
  ['noted as not mounted', [pod('web-1')], [status('web-1', { isMounted: false })]],
  ['of a pod at its end', [pod('web-1', { isOver: true })], [status('web-1')]],
  ["of another provider's class", [pod('web-1')], [status('web-1')], 'azure'],
  ['of a pod of that name in another namespace', [pod('web-1')], [status('web-1', { namespace: 'other' })]],
  [
    "said to lie in another pod's directory",
    [pod('web-1')],
    [status('web-1', { targetPath: targetOf('uid-of-another') })],
  ],
  ['said to lie somewhere else', [pod('web-1')], [status('web-1', { targetPath: '/etc' })]],
  ['said to be another volume', [pod('web-1')], [status('web-1', { targetPath: targetOf('uid-web-1', 'other') })]],
  [
    'of a class that cannot be read',
    [pod('web-1', { volumes: new Map([['secrets', new Map([['secretProviderClass', 'deleted']])]]) })],
    [status('web-1')],
  ],
])('passes over a volume %s', async ([, pods, statuses, provider]) => {
  const mounts = createNodeMounts();

  const { found } = await survey(mounts, nodeOf(pods, statuses, provider).deps, NEVER);

  expect(found).toEqual([]);
  expect([...mounts.all()]).toEqual([]);
});

it('forgets mounts whose pods are gone or at their end, and no others', async () => {
  const mounts = createNodeMounts();
  for (const name of ['stays', 'gone', 'ending']) {
    mounts.learnCall(call(name));
  }

  const { gone } = await survey(mounts, nodeOf([pod('stays'), pod('ending', { isOver: true })]).deps, NEVER);

  expect(gone.map((mount) => mount.pod.name).toSorted()).toEqual(['ending', 'gone']);
  expect([...mounts.all()].map((mount) => mount.pod.name)).toEqual(['stays']);
});

it('keeps a mount whose pod is too new to be in the list', async () => {
  const mounts = createNodeMounts();
  mounts.learnCall(call('new'));
  const { deps } = nodeOf([pod('new')]);

  const { gone } = await survey(mounts, { ...deps, listPods: async () => [] }, NEVER);

  expect(gone).toEqual([]);
  expect(mounts.get(targetOf('uid-new'))).toBeDefined();
});

it('asks for statuses only where a volume is unknown', async () => {
  const mounts = createNodeMounts();
  mounts.learnCall(call('web-1'));
  const { deps, asked } = nodeOf([pod('web-1')], [status('web-1')]);

  await survey(mounts, deps, NEVER);

  expect(asked.statuses).toBe(0);
  expect(mounts.get(targetOf('uid-web-1'))?.nodePod).toEqual(pod('web-1'));
});

it('leaves all as it is where the API server tells nothing', async () => {
  const mounts = createNodeMounts();
  mounts.learnCall(call('web-1'));
  const { deps } = nodeOf([]);

  const surveyed = survey(
    mounts,
    { ...deps, listPods: () => Promise.reject(new ProviderError('KubernetesUnavailable', 'down')) },
    NEVER,
  );

  await expect(surveyed).rejects.toThrow('down');
  expect([...mounts.all()]).toHaveLength(1);
});

it('keeps what it knows of a mount when the driver calls again, with the newer tokens', () => {
  const mounts = createNodeMounts();
  const first = mounts.learnCall(call('web-1'));
  const tokens = new Map();

  const again = mounts.learnCall(call('web-1', { tokens, parameters: new Map([['objects', '[]']]) }));

  expect(again).toBe(first);
  expect(again?.tokens).toBe(tokens);
  expect(again?.parameters).toEqual(new Map([['secretProviderClass', 'shop']]));
});

it.for([
  ['/var/lib/kubelet/pods/uid/volumes/kubernetes.io~csi/secrets/mount', 'secrets'],
  ['/k/pods/uid/volumes/kubernetes.io~csi/secrets/mount/', undefined],
  ['/k/pods/other/volumes/kubernetes.io~csi/secrets/mount', undefined],
  ['/k/pods/uid/volumes/kubernetes.io~csi/a/b/mount', undefined],
  ['/k/pods/uid/volumes/kubernetes.io~empty-dir/secrets/mount', undefined],
] as const)('takes %s for the volume %s of a pod', ([path, volume]) => {
  expect(volumeOf(path, { uid: 'uid' })).toBe(volume);
});
