import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { contentsOf } from '../daemon/node.ts';
import { statsBelow } from '../publish/pod-view.ts';
import type { ClusterNode } from './cluster-node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import { PODS, type StartedPod } from './objects.ts';
import { ROTATION, secret, SOON } from './values.ts';

let cluster: TestCluster;
let node: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', ROTATION);
});

afterAll(() => cluster[Symbol.asyncDispose]());

/** A pod with its own secret, class and account, all with its name. */
async function startOwn(name: string): Promise<StartedPod> {
  await cluster.addAccount(name);
  await cluster.seed.secret(name, 'old');
  await cluster.applyClass(name, { objects: [secret(name)] });
  return await node.startPod(name, { className: name, serviceAccount: name });
}

function isListOfPods(request: string): boolean {
  return request.startsWith('GET /api/v1/pods?');
}

describe.concurrent('a pod', () => {
  it('that was deleted is removed: no call is made for it any more', async ({ expect }) => {
    const pod = await startOwn('gone');

    await node.stopPod(pod);
    await expect.poll(() => node.saidOf(pod, 'mount is no longer polled'), SOON).toHaveLength(1);
    // A poll may be in progress.
    await cluster.clock.sleep(500);
    const [calls, requests] = [cluster.aws.gate.state.count({ resource: 'gone' }), cluster.api.requests.length];
    await cluster.clock.sleep(2_000);

    expect(cluster.aws.gate.state.count({ resource: 'gone' })).toBe(calls);
    expect(cluster.api.requests.slice(requests).filter((request) => request.includes('/gone'))).toEqual([]);
    expect(await cluster.eventsOf('gone')).toEqual([]);
  });

  it('that is being deleted has new values for as long as it runs', async ({ expect }) => {
    const pod = await startOwn('terminating');
    await cluster.kube.patch(`${PODS}/terminating`, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    const requests = cluster.api.requests.length;
    // The second list starts after the first has been processed.
    await expect.poll(() => cluster.api.requests.slice(requests).filter(isListOfPods).length, SOON).toBeGreaterThan(1);

    await cluster.seed.secretVersion('terminating', 'new');

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ terminating: ['644', 'new'] });
    await node.stopPod(pod);
    await expect.poll(() => node.saidOf(pod, 'mount is no longer polled'), SOON).toHaveLength(1);
  });

  it('that has ended is not written to', async ({ expect }) => {
    const name = 'ended';
    const pod = await startOwn(name);
    const before = statsBelow(pod.targetPath);

    await cluster.kube.patch(`${PODS}/${name}`, { status: { phase: 'Succeeded' } });
    await expect.poll(() => node.saidOf(pod, 'mount is no longer polled'), SOON).toHaveLength(1);
    await cluster.clock.sleep(500);
    await cluster.seed.secretVersion(name, 'new');
    await cluster.clock.sleep(2_500);

    expect(statsBelow(pod.targetPath)).toEqual(before);
    expect(await contentsOf(pod.targetPath)).toEqual({ [name]: ['644', 'old'] });
  });
});

describe.concurrent('a volume that the driver has emptied', () => {
  it('is never written to again', async ({ expect }) => {
    const pod = await startOwn('emptied');

    await node.emptyVolume(pod);
    await cluster.seed.secretVersion('emptied', 'new');
    await cluster.clock.sleep(2_500);

    expect(await readdir(pod.targetPath)).toEqual([]);
    expect(await cluster.eventsOf('emptied')).toEqual([]);
  });

  it('during a poll of AWS is not written to either', async ({ expect }) => {
    const pod = await startOwn('emptied-late');
    const { state } = cluster.aws.gate;
    const held = Promise.withResolvers<void>();
    using _ = state.inject({ kind: 'hold', until: held.promise }, { resource: 'emptied-late' });

    await cluster.seed.secretVersion('emptied-late', 'new');
    const calls = state.count({ resource: 'emptied-late' });
    await expect.poll(() => state.count({ resource: 'emptied-late' }), SOON).toBeGreaterThan(calls);
    await node.emptyVolume(pod);
    held.resolve();
    await cluster.clock.sleep(2_500);

    expect(await readdir(pod.targetPath)).toEqual([]);
    expect(await cluster.eventsOf('emptied-late')).toEqual([]);
  });

  it('is filled again by a Mount call, and refreshed from then on', async ({ expect }) => {
    const pod = await startOwn('mounted-again');
    await node.emptyVolume(pod);
    await expect.poll(() => node.saidOf(pod, 'mount is no longer polled'), SOON).toHaveLength(1);

    await node.republish(pod);
    await cluster.seed.secretVersion('mounted-again', 'new');

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ 'mounted-again': ['644', 'new'] });
  });
});
