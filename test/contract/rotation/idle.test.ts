import { watch } from 'node:fs';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { BATCH, callsOf, READ } from '../daemon/calls.ts';
import { contentsOf } from '../daemon/node.ts';
import { layoutOf, layoutWith, statsBelow } from '../publish/pod-view.ts';
import type { ClusterNode } from './cluster-node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import { versionsOf } from './objects.ts';
import { parameter, ROTATION, secret, SOON } from './values.ts';

const DB = {
  ...secret('db'),
  jmesPath: [
    { path: 'user', objectAlias: 'user' },
    { path: 'password', objectAlias: 'parts/password', filePermission: '0400' },
  ],
};

let cluster: TestCluster;
let node: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', ROTATION);
  await cluster.seed.parameter('/url', 'here');
});

afterAll(() => cluster[Symbol.asyncDispose]());

describe.concurrent('a volume', () => {
  it('whose values stay the same is not touched, however often AWS is polled', async ({ expect }) => {
    await cluster.addAccount('quiet');
    await cluster.seed.secret('quiet', '{"user":"app","password":"p"}');
    const objects = [{ ...DB, objectName: 'quiet' }, parameter('/url', 'url')];
    await cluster.applyClass('quiet', { objects });
    await cluster.applyClass('parameter', { objects: [parameter('/url', 'url')] });
    const pods = [
      await node.startPod('quiet-1', { className: 'quiet', serviceAccount: 'quiet' }),
      await node.startPod('quiet-2', { className: 'parameter', serviceAccount: 'quiet' }),
    ];
    const before = pods.map(({ targetPath }) => statsBelow(targetPath));
    const seen: string[] = [];
    const watchers = pods.map(({ targetPath }) =>
      watch(targetPath, { recursive: true }, (event, file) => seen.push(`${event} ${file}`)),
    );
    const asked = cluster.aws.gate.state.count({ resource: 'quiet' });

    await cluster.clock.sleep(4_000);
    watchers.forEach((watcher) => watcher.close());

    expect(seen).toEqual([]);
    expect(pods.map(({ targetPath }) => statsBelow(targetPath))).toEqual(before);
    expect(cluster.aws.gate.state.count({ resource: 'quiet' }) - asked).toBeGreaterThanOrEqual(3);
    expect(await cluster.eventsOf('quiet-1')).toEqual([]);
  });

  it('that rotates repeatedly contains only the last set, and its versions are recorded for every file', async ({
    expect,
  }) => {
    await cluster.seed.secret('db', '{"user":"app","password":"p0"}');
    await cluster.applyClass('db', { objects: [DB], parameters: { pathTranslation: 'False' } });
    const pod = await node.startPod('db', { className: 'db' });

    for (const password of ['p1', 'p2', 'p3']) {
      const value = JSON.stringify({ user: 'app', password });
      const version = await cluster.seed.secretVersion('db', value);
      await expect
        .poll(() => contentsOf(pod.targetPath), SOON)
        .toEqual({ db: ['644', value], user: ['644', 'app'], 'parts/password': ['400', password] });
      await expect
        .poll(() => versionsOf(cluster.kube, pod), SOON)
        .toEqual({ db: version, user: version, 'parts/password': version });
    }

    expect(layoutOf(pod.targetPath)).toEqual(layoutWith('db', 'user', 'parts'));
    expect(node.said('mount rotated').filter((line) => line['pod'] === 'db')).toHaveLength(3);
  });
});

describe.concurrent('a poll makes each call once', () => {
  it.for([
    ['what may be read in batches', [READ, BATCH], { BatchGetSecretValue: 1, GetSecretValue: 1, GetParameters: 1 }],
    ['what may be read and no more', [READ], { GetSecretValue: 3, GetParameters: 1 }],
  ] as const)('%s', async ([, allows, callsALook], { expect }) => {
    await using other = await startCluster();
    const asked = await other.startNode('node-1', ['--enable-secret-rotation', '--rotation-poll-interval=4s']);
    await other.addAccount('worker', allows);
    await other.seed.secret('one', '1');
    await other.seed.secret('two', '2');
    const { version } = await other.seed.secret('pinned', '3');
    await other.seed.parameter('/url', 'here');
    await other.applyClass('all', {
      objects: [
        secret('one'),
        secret('two'),
        { ...secret('pinned'), objectVersion: version },
        parameter('/url', 'url'),
      ],
    });
    await asked.startPod('all', { className: 'all', serviceAccount: 'worker' });

    // The first poll comes after 3.2 to 3.6 seconds, and the second as long after it.
    const calls = await callsOf(other, () => other.clock.sleep(6_000));

    expect(calls).toEqual(callsALook);
  });
});
