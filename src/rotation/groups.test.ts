import { expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import type { MountSpec } from '../model/mount-spec.ts';
import { dueGroups, groupOf } from './groups.ts';
import { createNodeMounts, type NodeMount } from './node-mounts.ts';

function spec(changes: Partial<MountSpec> = {}): MountSpec {
  return {
    regions: ['us-east-1'],
    authentication: { kind: 'irsa' },
    objects: [],
    targetPath: '/a',
    pod: { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' },
    tokens: new Map(),
    ...changes,
  };
}

it.for<readonly [string, Partial<MountSpec>, boolean]>([
  ['another pod of the service account', { pod: { ...spec().pod, name: 'web-2', uid: 'uid-2' } }, true],
  ['other objects', { targetPath: '/b' }, true],
  ['another service account', { pod: { ...spec().pod, serviceAccount: 'other' } }, false],
  ['another namespace', { pod: { ...spec().pod, namespace: 'other' } }, false],
  ['another region', { regions: ['eu-west-1'] }, false],
  ['Pod Identity', { authentication: { kind: 'pod-identity', addressType: 'auto' } }, false],
])('groups a mount with one of %s: %s', ([, changes, together]) => {
  expect(groupOf(spec(changes), 1_000) === groupOf(spec(), 1_000)).toBe(together);
});

it('does not group pods with separate sessions or different intervals', () => {
  const authentication = { kind: 'pod-identity', addressType: 'auto' } as const;
  const [one, other] = ['uid-1', 'uid-2'].map((uid) => spec({ authentication, pod: { ...spec().pod, uid } }));

  expect(groupOf(one!, 1_000)).not.toBe(groupOf(other!, 1_000));
  expect(groupOf(spec(), 1_000)).not.toBe(groupOf(spec(), 2_000));
});

/** A mount of a pod whose role is not known yet. */
function newMount(name: string, serviceAccount = 'web'): NodeMount {
  const ref = { namespace: 'shop', name, uid: `uid-${name}`, serviceAccount };
  const targetPath = `/var/lib/kubelet/pods/${ref.uid}/volumes/kubernetes.io~csi/secrets/mount`;
  const nodePod = {
    ref,
    hasEnded: false,
    isTerminating: false,
    labels: new Map(),
    owner: { apiVersion: 'v1', kind: 'Pod', name, uid: ref.uid },
    volumes: new Map(),
  };
  const mounts = createNodeMounts(createVirtualClock(), '/var/lib/kubelet');
  return mounts.learn({ targetPath, pod: ref, volume: 'secrets', className: 'shop', nodePod });
}

it('polls the healthy mounts of a service account with the one that is due, and none of another', () => {
  const [due, healthy, failing] = ['due', 'healthy', 'failing'].map((name) => newMount(name));
  const other = newMount('other', 'other');
  failing!.pollEnded(true);

  expect(dueGroups([due!, healthy!, failing!, other], (mount) => mount === due, 120_000)).toEqual([[due, healthy]]);
  expect(dueGroups([due!, failing!], (mount) => mount === failing, 120_000)).toEqual([[due, failing]]);
  expect(dueGroups([due!, other], () => false, 120_000)).toEqual([]);
});

it('polls a mount that has failed for long together with the others, so that AWS is asked once per interval', () => {
  const [due, failing] = ['due', 'failing'].map((name) => newMount(name));
  for (let failures = 0; failures < 6; failures += 1) {
    failing!.pollEnded(true);
  }

  expect(dueGroups([due!, failing!], (mount) => mount === due, 120_000)).toEqual([[due, failing]]);
});
