import { describe, expect, it } from 'vitest';
import { clockAt } from '../../test/fakes/virtual-clock.ts';
import type { Sighting } from './plan-restart.ts';
import { createRestarts } from './rolling-restart.ts';
import { createStoredWorkload } from '../../test/fakes/kube/stored-workload.ts';

const OWNER = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: 'owner-1' };
const NODE_POD = {
  ref: { namespace: 'shop', name: 'web-1-a', uid: 'pod-1', serviceAccount: 'web' },
  hasEnded: false,
  isTerminating: false,
  labels: new Map(),
  owner: OWNER,
  volumes: new Map(),
};
const signal = new AbortController().signal;

function seen(version: string, confirmedAt: number, volume = 'secrets') {
  const sighting: Sighting = { volume, class: { name: 'shop' }, versions: new Map([['db', version]]), confirmedAt };
  return { ...sighting, nodePod: NODE_POD, since: 0 };
}

/** A provider on a node of its own. */
function startNode(store: ReturnType<typeof createStoredWorkload>, clock: { now: number }, minIntervalMs = 1_000) {
  return createRestarts({ workloads: store.api, minIntervalMs, clock: clockAt(() => clock.now) });
}

describe('restarts', () => {
  it('roll once, though every node sees the same', async () => {
    const [store, clock] = [createStoredWorkload(), { now: 1_000 }];
    const nodes = [startNode(store, clock), startNode(store, clock), startNode(store, clock)];

    const first = await Promise.all(nodes.map((node) => node.observe(seen('v1', 500), signal)));
    clock.now = 10_000;
    const second = await Promise.all(nodes.map((node, index) => node.observe(seen('v2', 9_000 + index), signal)));

    expect(first).toEqual(['noted', 'none', 'none']);
    expect(second).toEqual(['restarted', 'none', 'none']);
    expect(store.rolls).toHaveLength(1);
  });

  it('say how long a restart that comes too soon has to wait', async () => {
    const [store, clock] = [createStoredWorkload(), { now: 10_000 }];
    const node = startNode(store, clock);
    await node.observe(seen('v1', 9_000), signal);
    await node.observe(seen('v2', 9_500), signal);

    clock.now = 10_400;
    const early = await node.observe(seen('v3', 10_300), signal);
    clock.now = 11_000;
    const late = await node.observe(seen('v3', 10_300), signal);

    expect([early, late]).toEqual([{ dueInMs: 600 }, 'restarted']);
    expect(store.rolls).toHaveLength(2);
  });

  it('ask the API server once for several pods of one owner, and again after a while', async () => {
    const [store, clock] = [createStoredWorkload({ isMarked: false }), { now: 1_000 }];
    const node = startNode(store, clock);

    await node.observe(seen('v1', 900), signal);
    await node.observe(seen('v1', 950), signal);
    const readsAtOnce = store.reads;
    store.mark();
    clock.now += 120_000;
    const later = await node.observe(seen('v1', 120_000), signal);

    expect(readsAtOnce).toBe(1);
    expect(later).toBe('noted');
  });

  it('are checked again for a pod that is newer than the last check, because another node may have restarted the workload since', async () => {
    const [store, clock] = [createStoredWorkload(), { now: 1_000 }];
    const [late, other] = [startNode(store, clock), startNode(store, clock)];
    await late.observe(seen('v1', 900), signal);
    clock.now = 6_000;
    await other.observe(seen('v2', 5_000), signal);

    clock.now = 7_000;
    const known = await late.observe(seen('v1', 900), signal);
    const newer = await late.observe({ ...seen('v1', 900), since: 6_500 }, signal);

    expect([known, newer]).toEqual(['none', 'newer elsewhere']);
    expect(store.rolls).toHaveLength(1);
  });

  it('have nothing to do with pods that no workload made', async () => {
    const store = createStoredWorkload();
    store.remove();

    const outcome = await startNode(store, { now: 1_000 }).observe(seen('v1', 900), signal);

    expect(outcome).toBe('none');
  });

  it('give up on a workload that others change each time', async () => {
    const store = createStoredWorkload();
    const node = createRestarts({
      clock: clockAt(() => 0),
      workloads: { ...store.api, patch: () => Promise.resolve('changed') },
      minIntervalMs: 1_000,
    });

    const observed = node.observe(seen('v1', 900), signal);

    await expect(observed).rejects.toMatchObject({
      reason: 'KubernetesUnavailable',
      message: expect.stringContaining('ReplicaSet shop/web-1'),
    });
  });
});
