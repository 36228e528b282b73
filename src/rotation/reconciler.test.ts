import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { unlessAborted } from '../concurrency/cancellation.ts';
import { createTimeSlices } from '../concurrency/time-slices.ts';
import type { PodEvent } from '../model/kube-objects.ts';
import { startReconciler } from './reconciler.ts';

const NEVER = new AbortController().signal;
const POD = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' };
const PARAMETERS = new Map([['secretProviderClass', 'shop']]);
const MOUNT_TIMEOUT_MS = 110_000;

async function unreachable(): Promise<never> {
  throw new Error('not needed');
}

function hangs<Result>(signal: AbortSignal): Promise<Result> {
  return unlessAborted(new Promise<Result>(() => undefined), signal);
}

it('answers a Mount call whose Secret is not made in time, and names the time-out in an event of the pod', async () => {
  const clock = createVirtualClock();
  const events: PodEvent[] = [];
  await using reconciler = startReconciler({
    clock,
    log: pino({ level: 'silent' }),
    slices: createTimeSlices(clock),
    nodeName: 'node-1',
    kubeletDir: '/var/lib/kubelet',
    providerName: 'aws',
    rotates: true,
    intervalMs: 120_000,
    mountTimeoutMs: MOUNT_TIMEOUT_MS,
    readClass: unreachable,
    authenticate: unreachable,
    defaultRegion: unreachable,
    refresh: async () => undefined,
    noteVersions: unreachable,
    notedVersions: unreachable,
    listPods: hangs,
    podOf: async (pod) => ({
      ref: pod,
      hasEnded: false,
      isTerminating: false,
      labels: new Map(),
      owner: { apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid },
      volumes: new Map(),
    }),
    classOf: async (namespace, name) => ({
      namespace,
      name,
      provider: 'aws',
      parameters: PARAMETERS,
      annotations: new Map(),
      secretObjects: undefined,
    }),
    downstream: [{ update: (_mount, signal) => hangs(signal) }],
    drop: unreachable,
    async recordEvent(event) {
      events.push(event);
    },
  });
  const targetPath = '/var/lib/kubelet/pods/uid-1/volumes/kubernetes.io~csi/secrets/mount';
  const call = { targetPath, pod: POD, tokens: new Map(), parameters: PARAMETERS, mode: 0o644 };
  const spec = { regions: ['us-east-1'], authentication: { kind: 'irsa' }, objects: [], targetPath } as const;
  const served = {
    spec: { ...spec, pod: POD, tokens: new Map() },
    versions: new Map([['db', 'v1']]),
    confirmedAt: 0,
    files: [],
  };

  const answering = reconciler.mounted(call, served, NEVER);
  await clock.advance(5_000);
  expect(await answering).toBe(served);
  expect(events).toEqual([]);
  await clock.advance(MOUNT_TIMEOUT_MS);

  expect(events).toMatchObject([
    { pod: POD, type: 'Warning', reason: 'DeadlineExceeded', message: expect.stringContaining('not done in time') },
  ]);
});
