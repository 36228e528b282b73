import { afterAll, beforeAll, describe, it } from 'vitest';
import { contentsOf } from '../daemon/node.ts';
import { statsBelow } from '../publish/pod-view.ts';
import type { ClusterNode } from './cluster-node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import { type ClassOptions, versionsOf } from './objects.ts';
import { parameter, ROTATION, secret, SOON } from './values.ts';

let cluster: TestCluster;
let node: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', ROTATION);
  await cluster.seed.secret('db', '{"user":"app"}');
  await cluster.seed.parameter('/url', 'here');
  await (await cluster.aws.seed('eu-west-1')).secret('db', 'in the west');
});

afterAll(() => cluster[Symbol.asyncDispose]());

const DB = { db: ['644', '{"user":"app"}'] } as const;

describe.concurrent('an edited class reaches running pods, without a Mount call', () => {
  it.for<readonly [string, ClassOptions, Readonly<Record<string, readonly [string, string]>>]>([
    ['a further object', { objects: [secret('db'), parameter('/url', 'url')] }, { ...DB, url: ['644', 'here'] }],
    ['another object in its place', { objects: [parameter('/url', 'url')] }, { url: ['644', 'here'] }],
    ['another name', { objects: [{ ...secret('db'), objectAlias: 'login' }] }, { login: ['644', '{"user":"app"}'] }],
    ['another mode', { objects: [{ ...secret('db'), filePermission: '0400' }] }, { db: ['400', '{"user":"app"}'] }],
    [
      'a part of its own',
      { objects: [{ ...secret('db'), jmesPath: [{ path: 'user', objectAlias: 'user' }] }] },
      { ...DB, user: ['644', 'app'] },
    ],
    [
      'another region',
      { objects: [secret('db')], parameters: { region: 'eu-west-1' } },
      { db: ['644', 'in the west'] },
    ],
  ])('%s', async ([what, edited, contents], { expect }) => {
    const name = what.replaceAll(' ', '-');
    await cluster.applyClass(name, { objects: [secret('db')] });
    const pod = await node.startPod(name, { className: name });

    await cluster.applyClass(name, edited);

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual(contents);
    await expect
      .poll(async () => Object.keys(await versionsOf(cluster.kube, pod)), SOON)
      .toEqual(Object.keys(contents).toSorted());
  });

  it('another interval', async ({ expect }) => {
    await cluster.addAccount('slow');
    await cluster.seed.secret('slow', 'old');
    await cluster.applyClass('slow', { objects: [secret('slow')] });
    const pod = await node.startPod('slow', { className: 'slow', serviceAccount: 'slow' });

    await cluster.applyClass('slow', { objects: [secret('slow')], parameters: { rotationPollInterval: '1h' } });
    await cluster.clock.sleep(2_000);
    await cluster.seed.secretVersion('slow', 'new');
    const calls = cluster.aws.gate.state.count({ resource: 'slow' });
    await cluster.clock.sleep(2_000);

    expect(cluster.aws.gate.state.count({ resource: 'slow' })).toBe(calls);
    expect(await contentsOf(pod.targetPath)).toEqual({ slow: ['644', 'old'] });
    // A Mount call is served from the cache for at most the operator's interval, whatever the class sets.
    await node.republish(pod);
    expect(await contentsOf(pod.targetPath)).toEqual({ slow: ['644', 'new'] });
  });

  it('a problem is reported, and the files stay until it is fixed', async ({ expect }) => {
    await cluster.applyClass('mistaken', { objects: [secret('db')] });
    const pod = await node.startPod('mistaken', { className: 'mistaken' });
    const before = statsBelow(pod.targetPath);

    await cluster.applyClass('mistaken', { objects: [{ objectName: 'db' }] });

    await expect
      .poll(() => cluster.eventsOf('mistaken'), SOON)
      .toMatchObject([
        { type: 'Warning', reason: 'InvalidParameters', message: expect.stringContaining('objectType') },
      ]);
    expect(statsBelow(pod.targetPath)).toEqual(before);
    await cluster.applyClass('mistaken', { objects: [{ ...secret('db'), objectAlias: 'mended' }] });
    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ mended: DB.db });
  });
});

describe.concurrent('a class that is no longer ours', () => {
  it('given to another provider: its pods are released, and refreshed again when it is given back', async ({
    expect,
  }) => {
    await cluster.addAccount('given');
    await cluster.seed.secret('given', 'old');
    await cluster.applyClass('given', { objects: [secret('given')] });
    const pod = await node.startPod('given', { className: 'given', serviceAccount: 'given' });

    await cluster.applyClass('given', { objects: [secret('given')], provider: 'vault' });
    await expect.poll(() => node.saidOf(pod, 'mount is no longer polled'), SOON).toHaveLength(1);
    const calls = cluster.aws.gate.state.count({ resource: 'given' });
    await cluster.seed.secretVersion('given', 'new');
    await cluster.clock.sleep(2_500);

    expect(cluster.aws.gate.state.count({ resource: 'given' })).toBe(calls);
    expect(await contentsOf(pod.targetPath)).toEqual({ given: ['644', 'old'] });
    await cluster.applyClass('given', { objects: [secret('given')] });
    await expect
      .poll(() => cluster.eventsOf('given'), SOON)
      .toMatchObject([{ type: 'Warning', reason: 'TokenMissing' }]);
    await node.republish(pod);
    expect(await contentsOf(pod.targetPath)).toEqual({ given: ['644', 'new'] });
  });

  it('deleted: the files stay, one event reports it, and rotation continues when it is back', async ({ expect }) => {
    await cluster.seed.secret('deleted', 'old');
    await cluster.applyClass('deleted', { objects: [secret('deleted')] });
    const pod = await node.startPod('deleted', { className: 'deleted' });
    const before = statsBelow(pod.targetPath);

    function failures(): number {
      return node.said('mount not refreshed').filter((line) => line['pod'] === 'deleted').length;
    }

    await cluster.removeClass('deleted');
    await expect.poll(failures, SOON).toBeGreaterThan(0);
    await cluster.seed.secretVersion('deleted', 'new');
    await expect.poll(failures, SOON).toBeGreaterThan(2);

    expect(await cluster.eventsOf('deleted')).toEqual([
      {
        type: 'Warning',
        reason: 'ClassMissing',
        message: expect.stringMatching(/SecretProviderClass "shop\/deleted" does not exist.*create it again/),
        count: 1,
      },
    ]);
    expect(statsBelow(pod.targetPath)).toEqual(before);
    await cluster.applyClass('deleted', { objects: [secret('deleted')] });
    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ deleted: ['644', 'new'] });
    await expect
      .poll(async () => (await cluster.eventsOf('deleted')).map(({ reason }) => reason), SOON)
      .toContain('SecretsRefreshed');
  });
});
