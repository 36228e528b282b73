import { describe, it } from 'vitest';
import { callsOf } from '../daemon/calls.ts';
import { contentsOf } from '../daemon/node.ts';
import { statsBelow } from '../publish/pod-view.ts';
import { startCluster } from './cluster.ts';
import { versionsOf } from './objects.ts';
import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { startAside } from './provider.ts';
import { secret, SOON } from './values.ts';

const ROTATION = ['--enable-secret-rotation', '--token-request', '--rotation-poll-interval=1s'];

describe.concurrent('a provider that restarts', () => {
  it.for([
    ['after a graceful end', undefined],
    ['killed', 'SIGKILL'],
  ] as const)(
    'brings changes of the meantime to every pod, without a call of the driver: %s',
    async ([, signal], { expect }) => {
      // Only a separate process can be killed.
      await using cluster = await startCluster(signal && SYSTEM_CLOCK);
      const node = await cluster.startNode('node-1', ROTATION, signal && { start: startAside });
      const west = await cluster.aws.seed('eu-west-1');
      await cluster.seed.secret('db', 'old');
      await west.secret('db', 'old in the west');
      await cluster.applyClass('class', { objects: [secret('db')] });
      const plain = await node.startPod('plain', { className: 'class' });
      const inTheWest = await node.startPod('in-the-west', {
        className: 'class',
        attributes: { region: 'eu-west-1', pathTranslation: 'False' },
      });

      await node.restart(async () => {
        await cluster.seed.secretVersion('db', 'new');
        await west.secretVersion('db', 'new in the west');
        await cluster.applyClass('class', { objects: [{ ...secret('db'), objectAlias: 'renamed' }] });
      }, signal);

      await expect
        .poll(async () => [await contentsOf(plain.targetPath), await contentsOf(inTheWest.targetPath)], SOON)
        .toEqual([{ renamed: ['644', 'new'] }, { renamed: ['644', 'new in the west'] }]);
      await expect
        .poll(() => versionsOf(cluster.kube, inTheWest))
        .toEqual({ renamed: expect.stringMatching(/^[0-9a-f-]{36}$/) });
      expect(new Set(cluster.api.tokenRequests.map(({ pod }) => pod))).toEqual(new Set(['in-the-west', 'plain']));
      expect(cluster.api.tokenRequests).toHaveLength(2);
    },
  );

  it('polls AWS once for each identity, and writes nothing if nothing has changed', async ({ expect }) => {
    await using cluster = await startCluster();
    const node = await cluster.startNode('node-1', [
      '--enable-secret-rotation',
      '--token-request',
      '--rotation-poll-interval=6s',
    ]);
    await cluster.addAccount('worker');
    await cluster.seed.secret('db', 'value');
    await cluster.seed.parameter('/url', 'value');
    await cluster.applyClass('class', {
      objects: [secret('db'), { objectName: '/url', objectType: 'ssmparameter', objectAlias: 'url' }],
    });
    const pods = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        node.startPod(`pod-${index}`, { className: 'class', serviceAccount: index % 2 === 0 ? 'web' : 'worker' }),
      ),
    );
    const before = pods.map(({ targetPath }) => statsBelow(targetPath));

    const calls = await callsOf(cluster, async () => {
      await node.restart();
      await expect
        .poll(() => node.provider.log.filter((line) => line.includes('mount is up to date')).length, SOON)
        .toBe(pods.length);
    });

    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 2, GetSecretValue: 2, GetParameters: 2 });
    expect(pods.map(({ targetPath }) => statsBelow(targetPath))).toEqual(before);
    expect(node.said('mount rotated')).toEqual([]);
  });

  it('does not report work that its end interrupted', async ({ expect }) => {
    // In real time, so that the hanging API server causes no time-out before that.
    await using cluster = await startCluster(SYSTEM_CLOCK);
    const node = await cluster.startNode('node-1', ROTATION);
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const pod = await node.startPod('web-1', { className: 'class' });
    using _ = cluster.api.inject({ kind: 'hang' }, (method) => method === 'PATCH');

    const version = await cluster.seed.secretVersion('db', 'new');
    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ db: ['644', 'new'] });
    await expect.poll(() => cluster.api.requests.at(-1), SOON).toContain('PATCH');
    await node.restart(async () => _[Symbol.dispose]());

    expect(node.log.filter((line) => line.includes('Cancelled') || line.includes('not updated'))).toEqual([]);
    await expect.poll(() => versionsOf(cluster.kube, pod), SOON).toEqual({ db: version });
  });

  it('reports the missing tokens if it may not request any, and continues with the next Mount call', async ({
    expect,
  }) => {
    await using cluster = await startCluster();
    const node = await cluster.startNode('node-1', ['--enable-secret-rotation', '--rotation-poll-interval=1s']);
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const pod = await node.startPod('web-1', { className: 'class' });

    await node.restart(() => cluster.seed.secretVersion('db', 'new'));

    await expect
      .poll(() => cluster.eventsOf('web-1'), SOON)
      .toMatchObject([
        { type: 'Warning', reason: 'TokenMissing', message: expect.stringContaining('--token-request') },
      ]);
    expect(await contentsOf(pod.targetPath)).toEqual({ db: ['644', 'old'] });
    await node.republish(pod);
    expect(await contentsOf(pod.targetPath)).toEqual({ db: ['644', 'new'] });
    await cluster.seed.secretVersion('db', 'newest');
    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ db: ['644', 'newest'] });
    await expect
      .poll(async () => (await cluster.eventsOf('web-1')).map(({ reason, count }) => `${reason} ${count}`).toSorted())
      .toEqual(['SecretsRefreshed 1', 'SecretsRotated 1', 'TokenMissing 1']);
  });
});
