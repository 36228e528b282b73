import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { callsOf } from '../daemon/calls.ts';
import { contentsOf } from '../daemon/node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import { insideAt, type Start } from './provider.ts';
import { ROTATION, secret, SOON } from './values.ts';

const HOUR_MS = 3_600_000;

function byFakeDate({ clock }: TestCluster): Start {
  return insideAt({ ...clock, wallNow: () => Date.now() });
}

describe('a wall clock that jumps', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true, now: Date.now() });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('an hour ahead, and two back, neither stops rotation nor makes it poll continuously', async () => {
    await using cluster = await startCluster();
    let aheadMs = 0;
    const start = insideAt({ ...cluster.clock, wallNow: () => cluster.clock.wallNow() + aheadMs });
    const node = await cluster.startNode('node-1', [...ROTATION, '--token-request'], { start });
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const pod = await node.startPod('web-1', { className: 'class' });

    for (const [value, jumpMs] of [
      ['ahead', HOUR_MS],
      ['back', -2 * HOUR_MS],
    ] as const) {
      aheadMs += jumpMs;
      const calls = await callsOf(cluster, async () => {
        await cluster.seed.secretVersion('db', value);
        await cluster.clock.sleep(2_000);
      });

      expect(await contentsOf(pod.targetPath)).toEqual({ db: ['644', value] });
      // At most four polls, and one more if credentials were replaced.
      expect(calls['GetSecretValue']).toBeLessThanOrEqual(6);
      expect(calls['AssumeRoleWithWebIdentity'] ?? 0).toBeLessThanOrEqual(6);
    }
    expect(node.said('mount not refreshed')).toEqual([]);
  });

  it('past the expiry of the driver’s tokens: that is reported, and the driver’s next call resolves it', async () => {
    await using cluster = await startCluster();
    const node = await cluster.startNode('node-1', ROTATION, { start: byFakeDate(cluster) });
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const pod = await node.startPod('web-1', { className: 'class' });

    vi.setSystemTime(Date.now() + 2 * HOUR_MS);
    cluster.aws.gate.state.aheadMs = 2 * HOUR_MS;
    await cluster.seed.secretVersion('db', 'new');

    await expect
      .poll(() => cluster.eventsOf('web-1'), SOON)
      .toMatchObject([{ reason: 'CredentialsRefused', message: expect.stringContaining('has expired'), count: 1 }]);
    expect(await contentsOf(pod.targetPath)).toEqual({ db: ['644', 'old'] });
    // For a second after a refusal STS is not called again, and within the interval values may come from the cache.
    await expect
      .poll(async () => {
        await node.republish(pod).catch(() => undefined);
        return await contentsOf(pod.targetPath);
      }, SOON)
      .toEqual({ db: ['644', 'new'] });
    await expect
      .poll(async () => (await cluster.eventsOf('web-1')).map(({ reason }) => reason), SOON)
      .toEqual(['CredentialsRefused', 'SecretsRefreshed']);
  });

  it('near the expiry of the driver’s tokens: others are requested, once', async () => {
    await using cluster = await startCluster();
    const node = await cluster.startNode('node-1', [...ROTATION, '--token-request'], { start: byFakeDate(cluster) });
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const tokensEndAt = Math.floor(Date.now() / 1000) + 20;
    const pod = await node.startPod('web-1', { className: 'class', tokensEndAt });

    await cluster.seed.secretVersion('db', 'new');

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ db: ['644', 'new'] });
    expect(cluster.api.tokenRequests).toMatchObject([{ pod: 'web-1', audiences: ['sts.amazonaws.com'] }]);
  });
});

it('an API server that hangs for long stops no rotation, and delays no pod by the others', async () => {
  await using cluster = await startCluster();
  let aheadMs = 0;
  const start = insideAt({ ...cluster.clock, now: () => cluster.clock.now() + aheadMs });
  const node = await cluster.startNode('node-1', [...ROTATION, '--kube-timeout=1100ms'], { start });
  await cluster.seed.secret('db', 'old');
  await cluster.applyClass('class', { objects: [secret('db')] });
  const pods = await Promise.all(
    Array.from({ length: 80 }, (_, index) => node.startPod(`web-${index}`, { className: 'class' })),
  );

  cluster.api.fault = { kind: 'hang' };
  // Longer than any of its responses is cached.
  aheadMs = 10 * 60_000;
  const hangsAt = cluster.clock.now();
  await cluster.seed.secretVersion('db', 'new');

  // Ten rounds of eight would take a second each, and more than once.
  await expect
    .poll(() => Promise.all(pods.map(({ targetPath }) => contentsOf(targetPath))), SOON)
    .toEqual(pods.map(() => ({ db: ['644', 'new'] })));
  expect(cluster.clock.now() - hangsAt).toBeLessThan(6_000);
});
