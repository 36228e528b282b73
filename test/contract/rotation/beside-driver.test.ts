import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { callsOf } from '../daemon/calls.ts';
import { contentsOf } from '../daemon/node.ts';
import { layoutOf, layoutWith } from '../publish/pod-view.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import { versionsOf } from './objects.ts';
import { parameter, ROTATION, secret, SOON } from './values.ts';

describe.concurrent('beside the driver’s own rotation', () => {
  let cluster: TestCluster;
  let node: ClusterNode;

  beforeAll(async () => {
    cluster = await startCluster();
    node = await cluster.startNode('node-1', ROTATION);
    await cluster.seed.parameter('/url', 'here');
  });

  afterAll(() => cluster[Symbol.asyncDispose]());

  it('every value is written once, and the latest version is recorded, whichever writes first', async ({ expect }) => {
    const { pod, rotations, versions } = await rotateUnder('calm', 300);

    await expect.poll(() => versionsOf(cluster.kube, pod), SOON).toMatchObject({ calm: versions.at(-1) });
    await cluster.clock.sleep(1_200);
    expect(await versionsOf(cluster.kube, pod)).toMatchObject({ calm: versions.at(-1) });
    expect(rotations.size).toBeLessThanOrEqual(1 + versions.length);
    expect(layoutOf(pod.targetPath)).toEqual(layoutWith('calm', 'url'));
  });

  it('the same under many calls', async ({ expect }) => {
    const { pod, rotations, versions } = await rotateUnder('stormy', 0);

    await expect.poll(() => versionsOf(cluster.kube, pod), SOON).toMatchObject({ stormy: versions.at(-1) });
    await cluster.clock.sleep(1_200);
    expect(await versionsOf(cluster.kube, pod)).toMatchObject({ stormy: versions.at(-1) });
    expect(await contentsOf(pod.targetPath)).toMatchObject({ stormy: ['644', 'value 3'] });
    expect(rotations.size).toBeLessThanOrEqual(1 + versions.length);
    expect(layoutOf(pod.targetPath)).toEqual(layoutWith('stormy', 'url'));
    expect(node.said('mount not refreshed')).toEqual([]);
  });

  /** Rotates a secret three times while the driver calls. @returns names of all sets that were in the volume */
  async function rotateUnder(name: string, pauseMs: number) {
    await cluster.addAccount(name);
    await cluster.seed.secret(name, 'value 0');
    await cluster.applyClass(name, { objects: [secret(name), parameter('/url', 'url')] });
    const pod = await node.startPod(name, { className: name, serviceAccount: name });
    const rotations = new Set<string>();
    const done = new AbortController();
    async function look(): Promise<void> {
      while (!done.signal.aborted) {
        layoutNames(await readdir(pod.targetPath)).forEach((set) => rotations.add(set));
        await cluster.clock.sleep(5);
      }
    }
    async function call(): Promise<void> {
      while (!done.signal.aborted) {
        await node.republish(pod);
        await cluster.clock.sleep(pauseMs);
      }
    }
    const busy = [look(), ...Array.from({ length: pauseMs === 0 ? 4 : 1 }, call)];
    const versions: string[] = [];
    for (const value of ['value 1', 'value 2', 'value 3']) {
      versions.push(await cluster.seed.secretVersion(name, value));
      await cluster.clock.sleep(1_100);
    }
    done.abort();
    await Promise.all(busy);
    return { pod, rotations, versions };
  }
});

function layoutNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => /^\.\.\d{4}_/.test(name) && !name.includes('link'));
}

describe.concurrent('if the driver writes', () => {
  it('the cache is kept fresh: a call after a rotation returns the new value without a call to AWS', async ({
    expect,
  }) => {
    await using cluster = await startCluster();
    const flags = ['--enable-secret-rotation', '--rotation-poll-interval=3s', '--driver-writes-secrets'];
    const node = await cluster.startNode('node-1', flags);
    const first = await cluster.seed.secret('db', 'old');
    await cluster.seed.parameter('/url', 'old');
    await cluster.applyClass('class', { objects: [secret('db'), parameter('/url', 'url')] });
    const pod = await node.startPod('web-1', { className: 'class' });

    const version = await cluster.seed.secretVersion('db', 'new');
    await cluster.seed.parameter('/url', 'new');
    // A poll may have begun before the rotation.
    const polls = node.saidOf(pod, 'mount is up to date').length;
    await expect.poll(() => node.saidOf(pod, 'mount is up to date').length, SOON).toBeGreaterThan(polls + 1);
    let files: readonly { path: string; contents: Uint8Array }[] = [];
    const calls = await callsOf(cluster, async () => {
      ({ files } = await node.republish(pod));
    });

    expect(calls).toEqual({});
    expect(files.map(({ path, contents }) => [path, Buffer.from(contents).toString()])).toEqual([
      ['db', 'new'],
      ['url', 'new'],
    ]);
    expect(version).not.toBe(first.version);
    expect(await versionsOf(cluster.kube, pod)).toEqual({ db: version, url: '2' });
    expect(await readdir(pod.targetPath)).toEqual([]);
    expect(await cluster.eventsOf('web-1')).toEqual([]);
  });
});

describe.concurrent('a Mount call', () => {
  it('makes no call to AWS or the API server for rotation', async ({ expect }) => {
    const asked = await Promise.all(
      [[], ['--enable-secret-rotation']].map(async (flags) => {
        await using cluster = await startCluster();
        const node = await cluster.startNode('node-1', flags);
        await cluster.seed.secret('db', 'value');
        await cluster.applyClass('class', { objects: [secret('db')] });
        if (flags.length > 0) {
          await expect.poll(() => providersRequests(cluster).length, SOON).toBe(1);
        }
        const before = providersRequests(cluster).length;
        const calls = await callsOf(cluster, async () => {
          const pods = await Promise.all(['a', 'b', 'c'].map((name) => node.startPod(name, { className: 'class' })));
          await Promise.all(pods.map((pod) => node.republish(pod)));
        });
        return { calls, requests: providersRequests(cluster).slice(before) };
      }),
    );

    const [without, withRotation] = asked;
    expect(withRotation).toEqual(without);
    expect(without?.calls).toEqual({ AssumeRoleWithWebIdentity: 1, GetSecretValue: 1 });
    expect(without?.requests).toEqual(['GET /api/v1/namespaces/shop/serviceaccounts/web']);
  });
});

/** Except for the requests of the test as kubelet and driver. */
function providersRequests({ api }: TestCluster): readonly string[] {
  return api.requests.filter(
    (request) => request.includes('?') || (request.startsWith('GET') && request.includes('/serviceaccounts/')),
  );
}
