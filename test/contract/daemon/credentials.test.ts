import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EXPIRED, OUTAGE } from '../../fakes/aws/faults.ts';
import { callsOf, parameters, secrets } from './calls.ts';
import { POD, startNode, type TestNode } from './node.ts';

const MINUTE = 60_000;
const ASSUME = { action: 'sts:AssumeRoleWithWebIdentity' };

// Time passes only when a test advances it, on both clocks.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A node that caches values for a second, and credentials (of an hour) for their lifetime. */
async function startSeededNode(): Promise<TestNode> {
  const node = await startNode({ args: ['--rotation-poll-interval=1s', '--aws-max-attempts=1'] });
  await Promise.all([node.seed.secret('a', 'a1'), node.seed.secret('b', 'b1'), node.seed.parameter('/p', 'p1')]);
  return node;
}

describe('credentials', () => {
  it('serve every pod of a service account, and are refreshed before they expire, while no mount waits', async () => {
    await using node = await startSeededNode();
    await node.mount(secrets('a'));
    vi.advanceTimersByTime(54 * MINUTE);
    expect(await callsOf(node, () => node.mount(secrets('a'), { pod: { ...POD, name: 'web-2' } }))).toEqual({
      GetSecretValue: 1,
    });

    vi.advanceTimersByTime(2 * MINUTE);
    using _ = node.aws.gate.state.inject({ kind: 'delay', ms: 300 }, ASSUME);
    const calls = await callsOf(node, async () => {
      await node.mount(secrets('a'));
      vi.advanceTimersByTime(1_001);
      await node.mount(secrets('a'));
      await expect.poll(() => node.aws.gate.state.count(ASSUME)).toBe(2);
    });
    expect(node.aws.gate.state.calls.findLast(({ action }) => action !== ASSUME.action)?.sessionName).toBe('shop.web');
    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, GetSecretValue: 2 });
  });

  it('that are still valid are used while STS is down, and no longer', async () => {
    await using node = await startSeededNode();
    await node.mount(secrets('a'));
    using _ = node.aws.gate.state.inject(OUTAGE, ASSUME);
    vi.advanceTimersByTime(59 * MINUTE);
    await node.mount(secrets('a'));

    vi.advanceTimersByTime(MINUTE);
    const calls = await callsOf(node, async () => {
      expect((await node.refused(secrets('a'))).message).toContain('Failed to assume role');
    });
    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1 });
  });

  it('that have expired are never used', async () => {
    await using node = await startSeededNode();
    await node.mount(secrets('a'));
    vi.advanceTimersByTime(61 * MINUTE);

    expect(await callsOf(node, () => node.mount(secrets('a')))).toEqual({
      AssumeRoleWithWebIdentity: 1,
      GetSecretValue: 1,
    });
  });
});

describe('credentials that AWS no longer accepts, although they have not expired', () => {
  it.for([
    ['a secret', secrets('a'), { GetSecretValue: 2 }],
    ['a parameter', parameters('/p'), { GetParameters: 2 }],
    ['secrets of which one was refused', secrets('a', 'b'), { GetSecretValue: 3, BatchGetSecretValue: 0 }],
  ] as const)('are replaced at once: the mount of %s succeeds', async ([, class_, expected]) => {
    await using node = await startSeededNode();
    await node.mount(class_);
    vi.advanceTimersByTime(1_001);
    using _ = node.aws.gate.state.inject(EXPIRED, {}, 1);

    const calls = await callsOf(node, () => node.mount(class_));
    expect({ BatchGetSecretValue: 0, ...calls }).toEqual({
      AssumeRoleWithWebIdentity: 1,
      BatchGetSecretValue: 0,
      ...expected,
    });
  });

  it('are replaced once for twenty mounts that are refused with them', async () => {
    await using node = await startSeededNode();
    await node.mount(secrets('a'));
    vi.advanceTimersByTime(1_001);
    await Promise.all(Array.from({ length: 20 }, (_, index) => node.seed.secret(`s${index}`, 'v')));
    // The gate refuses keys that it does not know.
    node.aws.gate.state.sessions.clear();
    const calls = await callsOf(node, () =>
      Promise.all(Array.from({ length: 20 }, (_item, index) => node.mount(secrets(`s${index}`)))),
    );

    // A call after the new ones have arrived is not refused.
    const { AssumeRoleWithWebIdentity, GetSecretValue } = calls;
    expect(AssumeRoleWithWebIdentity).toBe(1);
    expect(GetSecretValue).toBeGreaterThan(20);
    expect(GetSecretValue).toBeLessThanOrEqual(40);
  });

  it('are reported if new ones are refused too, and are not kept', async () => {
    await using node = await startSeededNode();
    await node.mount(secrets('a'));
    vi.advanceTimersByTime(1_001);
    {
      using _ = node.aws.gate.state.inject(EXPIRED, { service: 'secretsmanager' });
      const calls = await callsOf(node, async () => {
        const { code, message } = await node.refused(secrets('a'));
        expect([code, message]).toEqual(['PERMISSION_DENIED', expect.stringContaining('ExpiredTokenException')]);
      });
      expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, GetSecretValue: 2 });
    }
    vi.advanceTimersByTime(1_001);

    expect(await callsOf(node, () => node.mount(secrets('a')))).toEqual({ GetSecretValue: 1 });
  });

  it('fail no check: it continues with new ones', async () => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    await node.mount(secrets('a'), { targetPath });
    vi.advanceTimersByTime(1_001);
    using _ = node.aws.gate.state.inject(EXPIRED, {}, 1);

    expect(await callsOf(node, () => node.mount(secrets('a'), { targetPath }))).toEqual({
      GetSecretValue: 2,
      AssumeRoleWithWebIdentity: 1,
    });
  });
});
