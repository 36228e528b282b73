import { describe, expect, it } from 'vitest';
import { clockAt } from '../../test/fakes/virtual-clock.ts';
import { mountOf } from '../../test/fakes/kube/mounts.ts';
import { createStoredWorkload } from '../../test/fakes/kube/stored-workload.ts';
import { createRestarts } from './rolling-restart.ts';

const signal = new AbortController().signal;

function seen(version: string, confirmedAt: number) {
  return mountOf({ pod: 'web-1-a', owner: 'web-1', files: { db: version }, confirmedAt });
}

/** A provider on a node of its own. */
function startNode(
  { api }: Pick<ReturnType<typeof createStoredWorkload>, 'api'>,
  clock: { now: number },
  messages: string[] = [],
) {
  return createRestarts({
    workloads: api,
    minIntervalMs: 1_000,
    clock: clockAt(() => clock.now),
    async recordEvent({ message }) {
      messages.push(message);
    },
  });
}

describe('restarts', () => {
  it('happen once, although every node sees the same change', async () => {
    const [store, clock, messages] = [createStoredWorkload(), { now: 1_000 }, new Array<string>()];
    const nodes = Array.from({ length: 3 }, () => startNode(store, clock, messages));

    const first = await Promise.all(nodes.map((node) => node.update(seen('v1', 500), signal)));
    const rollsAtFirst = store.rolls.length;
    clock.now = 10_000;
    const second = await Promise.all(nodes.map((node, index) => node.update(seen('v2', 9_000 + index), signal)));

    expect([...first, ...second]).toEqual([{}, {}, {}, {}, {}, {}]);
    expect([rollsAtFirst, store.rolls.length]).toEqual([0, 1]);
    expect(messages).toEqual([
      'new versions of what SecretProviderClass class mounts: the workload of ReplicaSet web-1 restarts',
    ]);
  });

  it('return how long a restart has to wait that is too soon', async () => {
    const [store, clock] = [createStoredWorkload(), { now: 10_000 }];
    const node = startNode(store, clock);
    await node.update(seen('v1', 9_000), signal);
    await node.update(seen('v2', 9_500), signal);

    clock.now = 10_400;
    const early = await node.update(seen('v3', 10_300), signal);
    clock.now = 11_000;
    const late = await node.update(seen('v3', 10_300), signal);

    expect([early, late]).toEqual([{ dueInMs: 600 }, {}]);
    expect(store.rolls).toHaveLength(2);
  });

  it('read the workload once for several pods of one owner, and again after a while', async () => {
    const [store, clock] = [createStoredWorkload({ isMarked: false }), { now: 1_000 }];
    const node = startNode(store, clock);

    await node.update(seen('v1', 900), signal);
    await node.update(seen('v1', 950), signal);
    const readsAtOnce = store.reads;
    store.mark();
    clock.now += 120_001;
    await node.update(seen('v1', 120_000), signal);

    expect([readsAtOnce, store.reads]).toEqual([1, 2]);
    expect(store.annotation('aws-secrets-csi/mounted-versions')).toBeDefined();
  });

  it('are checked again for a pod that is newer than the last check, because another node may have restarted the workload since', async () => {
    const [store, clock] = [createStoredWorkload(), { now: 1_000 }];
    const [late, other] = [startNode(store, clock), startNode(store, clock)];
    await late.update(seen('v1', 900), signal);
    clock.now = 6_000;
    await other.update(seen('v2', 5_000), signal);

    clock.now = 7_000;
    const known = await late.update(seen('v1', 900), signal);
    const newer = await late.update({ ...seen('v1', 900), since: 6_500 }, signal);

    expect([known, newer]).toEqual([{}, { newerConfirmedAt: 5_000 }]);
    expect(store.rolls).toHaveLength(1);
  });

  it('ignore pods that no workload created', async () => {
    const store = createStoredWorkload();
    store.remove();

    const outcome = await startNode(store, { now: 1_000 }).update(seen('v1', 900), signal);

    expect(outcome).toEqual({});
  });

  it('fail for a workload that others change each time', async () => {
    const store = createStoredWorkload();
    const api = { ...store.api, patch: () => Promise.resolve('changed' as const) };
    const node = startNode({ api }, { now: 0 });

    const observed = node.update(seen('v1', 900), signal);

    await expect(observed).rejects.toMatchObject({
      reason: 'KubernetesUnavailable',
      message: expect.stringContaining('ReplicaSet shop/web-1'),
    });
  });
});
