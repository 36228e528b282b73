import { execFileSync } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OUTAGE } from '../../fakes/aws/faults.ts';
import { BATCH, callsOf, parameters, READ, secrets } from './calls.ts';
import { contentsOf, POD, startNode, type TestNode } from './node.ts';

const SECOND_POD = { ...POD, name: 'web-2' };
const TEN = Array.from({ length: 10 }, (_, index) => `s${index}`);

// Time passes only when a test advances it.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A node with ten secrets and a parameter, whose pods may use the batch call. */
async function startSeededNode(...args: readonly string[]): Promise<TestNode> {
  const node = await startNode({ args });
  await Promise.all([
    ...TEN.map((name) => node.seed.secret(name, `value of ${name}`)),
    node.seed.parameter('/p', 'p1'),
  ]);
  node.aws.addRole('web', ['shop/web'], [READ, BATCH]);
  return node;
}

async function mountTwenty(node: TestNode, cancelled: AbortSignal) {
  return await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) =>
      node.mount(secrets(...TEN), {
        pod: { ...POD, name: `web-${index}` },
        ...(index === 0 && { signal: cancelled }),
      }),
    ),
  );
}

describe('within the interval', () => {
  it('a mount gets its credentials and all its secrets in one call each, a republish and a second pod make no call', async () => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    const secondPath = await node.newTarget(SECOND_POD);

    expect(await callsOf(node, () => node.mount(secrets(...TEN), { targetPath }))).toEqual({
      AssumeRoleWithWebIdentity: 1,
      BatchGetSecretValue: 1,
    });
    vi.advanceTimersByTime(119_999);
    const lookups = node.api.requests.length;
    const first = await node.mount(secrets(...TEN), { targetPath });
    const calls = await callsOf(node, async () => {
      expect((await node.mount(secrets(...TEN), { targetPath })).objectVersion).toEqual(first.objectVersion);
      await node.mount(secrets(...TEN), { targetPath: secondPath, pod: SECOND_POD });
    });
    expect(calls).toEqual({});
    expect(node.api.requests.length - lookups).toBe(1);
    expect(await contentsOf(secondPath)).toEqual(await contentsOf(targetPath));
    expect(Object.keys(await contentsOf(targetPath))).toEqual(TEN);
  });

  it('a class with a parameter is served from the cache too', async () => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    await node.mount(parameters('/p'), { targetPath });
    const calls = await callsOf(node, async () => {
      await node.mount(parameters('/p'), { targetPath });
      await node.mount(parameters('/p'), { pod: SECOND_POD });
    });

    expect(calls).toEqual({});
  });

  it('the driver gets the files without a call to AWS if it writes them', async () => {
    await using node = await startSeededNode('--driver-writes-secrets');
    const first = await node.mount(secrets(...TEN));
    let second = first;
    const calls = await callsOf(node, async () => {
      second = await node.mount(secrets(...TEN), { pod: SECOND_POD });
    });

    expect(calls).toEqual({});
    expect(second).toEqual(first);
    expect(second.files[0]?.contents.toString()).toBe('value of s0');
  });

  it('versions are cached even if values do not fit', async () => {
    await using node = await startSeededNode('--cache-max-bytes=0');
    const targetPath = await node.newTarget();
    await node.mount(secrets(...TEN), { targetPath });

    expect(await callsOf(node, () => node.mount(secrets(...TEN), { targetPath }))).toEqual({});
    expect(await callsOf(node, () => node.mount(secrets(...TEN), { pod: SECOND_POD }))).toEqual({
      BatchGetSecretValue: 1,
    });
  });

  it('only values that do not fit into the cache are fetched', async () => {
    await using node = await startSeededNode('--cache-max-bytes=100');
    await node.seed.secret('large', 'x'.repeat(101));
    const class_ = secrets('s0', 's1', 'large');
    await node.mount(class_);

    expect(await callsOf(node, () => node.mount(class_, { pod: SECOND_POD }))).toEqual({ GetSecretValue: 1 });
  });

  it('a pod of the same account starts while AWS is down, another does not', async () => {
    await using node = await startSeededNode('--aws-max-attempts=1');
    await node.mount(secrets(...TEN));
    using _ = node.aws.gate.state.inject(OUTAGE);
    const targetPath = await node.newTarget(SECOND_POD);
    await node.mount(secrets(...TEN), { targetPath, pod: SECOND_POD });

    expect(Object.keys(await contentsOf(targetPath))).toEqual(TEN);
    vi.advanceTimersByTime(120_001);
    expect((await node.refused(secrets(...TEN), { pod: SECOND_POD })).message).toContain('503');
    expect((await node.refused(secrets(...TEN), { targetPath, pod: SECOND_POD })).message).toContain('503');
    expect(Object.keys(await contentsOf(targetPath))).toEqual(TEN);
  });

  it('an edited class takes effect, and only its new objects are fetched', async () => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    await node.mount(secrets('s0', 's1'), { targetPath });
    const calls = await callsOf(node, () => node.mount(secrets('s1', 's2'), { targetPath }));

    expect(calls).toEqual({ GetSecretValue: 1 });
    expect(await contentsOf(targetPath)).toEqual({ s1: ['644', 'value of s1'], s2: ['644', 'value of s2'] });
    const aliased = {
      objects: '[{objectName: s1, objectType: secretsmanager, objectAlias: b, filePermission: "0400"}]',
    };
    expect(await callsOf(node, () => node.mount(aliased, { targetPath }))).toEqual({});
    expect(await contentsOf(targetPath)).toEqual({ b: ['400', 'value of s1'] });
  });

  it('one secret under two aliases is one request, under two labels two', async () => {
    await using node = await startSeededNode();
    await node.seed.secretVersion('s0', 'next of s0');
    const aliases = ['a', 'b'].map((objectAlias) => ({ objectName: 's0', objectType: 'secretsmanager', objectAlias }));
    const labels = ['AWSCURRENT', 'AWSPREVIOUS'].map((objectVersionLabel) => ({
      objectName: 's0',
      objectType: 'secretsmanager',
      objectVersionLabel,
      objectAlias: objectVersionLabel,
    }));
    const [aliased, labelled] = [{ objects: JSON.stringify(aliases) }, { objects: JSON.stringify(labels) }];
    const [one, two] = [await node.newTarget(), await node.newTarget(SECOND_POD)];
    const calls = await callsOf(node, async () => {
      await Promise.all([
        node.mount(aliased, { targetPath: one }),
        node.mount(labelled, { targetPath: two, pod: SECOND_POD }),
      ]);
      await node.mount(aliased, { targetPath: one });
      await node.mount(labelled, { targetPath: two, pod: SECOND_POD });
    });

    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, GetSecretValue: 3 });
    expect(await contentsOf(one)).toEqual({ a: ['644', 'next of s0'], b: ['644', 'next of s0'] });
    expect(await contentsOf(two)).toEqual({
      AWSCURRENT: ['644', 'next of s0'],
      AWSPREVIOUS: ['644', 'value of s0'],
    });
  });

  it('a volume that was emptied by others is filled again, from the cache', async () => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    await node.mount(secrets(...TEN), { targetPath });
    const before = await contentsOf(targetPath);
    for (const name of await readdir(targetPath)) {
      await rm(join(targetPath, name), { recursive: true });
    }

    expect(await callsOf(node, () => node.mount(secrets(...TEN), { targetPath }))).toEqual({});
    expect(await contentsOf(targetPath)).toEqual(before);
    expect(node.log.at(-1)).toContain('"changed":true');
  });

  // mount(8) needs root, which CI and the provider's container have.
  it.runIf(process.getuid?.() === 0)('a new tmpfs at the same path is filled again', async () => {
    await using node = await startSeededNode();
    const targetPath = await node.newTarget();
    for (const _ of ['first', 'second']) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', targetPath]);
      try {
        await node.mount(secrets(...TEN), { targetPath });
        expect(Object.keys(await contentsOf(targetPath))).toEqual(TEN);
      } finally {
        execFileSync('umount', [targetPath]);
      }
    }
  });
});

describe('twenty mounts at once', () => {
  it('make one call each for the role, the credentials and the secrets, and cancelling one does not affect the others', async () => {
    await using node = await startSeededNode();
    using _ = node.aws.gate.state.inject({ kind: 'delay', ms: 100 });
    const cancelling = new AbortController();
    let outcomes: PromiseSettledResult<unknown>[] = [];
    const lookups = node.api.requests.length;
    const calls = await callsOf(node, async () => {
      const mounting = mountTwenty(node, cancelling.signal);
      await expect.poll(() => node.aws.gate.state.count(), { interval: 5 }).toBe(1);
      cancelling.abort();
      outcomes = await mounting;
    });

    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, BatchGetSecretValue: 1 });
    expect(node.api.requests.length - lookups).toBe(1);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'rejected',
      ...Array.from({ length: 19 }, () => 'fulfilled'),
    ]);
  });

  it('that fail make one call', async () => {
    await using node = await startSeededNode('--aws-max-attempts=1');
    using _ = node.aws.gate.state.inject(OUTAGE, { service: 'sts' });
    const { signal } = new AbortController();
    const calls = await callsOf(node, () => mountTwenty(node, signal));

    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1 });
    expect(await callsOf(node, () => mountTwenty(node, signal))).toEqual({});
  });
});

describe('with a failover region', () => {
  const TWO = { ...secrets('s0', 's1'), failoverRegion: 'us-west-2' };

  it('each region is cached separately, and the first is used again when it is back', async () => {
    await using node = await startSeededNode('--aws-max-attempts=1');
    const west = await node.aws.seed('us-west-2');
    await Promise.all(['s0', 's1'].map((name) => west.secret(name, `${name} in the west`)));
    const targetPath = await node.newTarget();
    {
      using _ = node.aws.gate.state.inject(OUTAGE, { region: 'us-east-1', service: 'secretsmanager' });
      await node.mount(TWO, { targetPath });
      expect(await contentsOf(targetPath)).toMatchObject({ s0: ['644', 's0 in the west'] });
      expect(await callsOf(node, () => node.mount(TWO, { targetPath }))).toEqual({});
    }
    vi.advanceTimersByTime(5_001);
    const calls = await callsOf(node, () => node.mount(TWO, { targetPath }));

    expect(calls).toEqual({ BatchGetSecretValue: 1 });
    expect(await contentsOf(targetPath)).toMatchObject({ s0: ['644', 'value of s0'], s1: ['644', 'value of s1'] });
  });
});
