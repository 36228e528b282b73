import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { accountKeys } from '../../fakes/aws/seed.ts';
import { OUTAGE } from '../../fakes/aws/faults.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { BATCH, callsOf, parameters, READ, secrets } from './calls.ts';
import { contentsOf, POD, REGION, startNode, type TestNode } from './node.ts';

const INTERVAL = 120_000;
const HOUR = 3_600_000;
const PODS = ['web-1', 'web-2', 'web-3'].map((name) => ({ ...POD, name }));

// Time passes only when a test advances it.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A node whose role has these permissions, and three pods that have mounted the class. */
async function startMountedNode(allows: readonly Statement[], class_: Readonly<Record<string, string>>) {
  const node = await startNode({ args: ['--aws-max-attempts=1'] });
  await Promise.all([
    node.seed.secret('a', 'a1'),
    node.seed.secret('b', 'b1'),
    node.seed.secret('c', 'c1'),
    node.seed.parameter('/p', 'p1'),
    node.seed.parameter('/q', 'q1'),
  ]);
  node.aws.addRole('web', ['shop/web'], allows);
  const volumes = await Promise.all(PODS.map(async (pod) => ({ pod, targetPath: await node.newTarget(pod) })));

  async function republish() {
    return await Promise.all(volumes.map((volume) => node.mount(class_, volume)));
  }

  const firstCalls = await callsOf(node, republish);
  return { node, volumes, republish, firstCalls, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

async function remakeParameter(node: TestNode, name: string, value: string): Promise<void> {
  const motoUrl = inject('motoUrl');
  const credentials = await accountKeys(motoUrl, `arn:aws:iam::${node.aws.account}:role/seed`, 'seed');
  const ssm = new SSMClient({ region: REGION, endpoint: motoUrl, credentials });
  await ssm.send(new DeleteParameterCommand({ Name: name }));
  await node.seed.parameter(name, value);
}

function contentsOfAll(volumes: readonly { readonly targetPath: string }[]) {
  return Promise.all(volumes.map(({ targetPath }) => contentsOf(targetPath)));
}

describe('after the interval, one check serves all volumes of an identity', () => {
  it.for<readonly [string, readonly Statement[], Readonly<Record<string, string>>, Readonly<Record<string, number>>]>([
    ['by one batch call', [READ, BATCH], secrets('a', 'b', 'c'), { BatchGetSecretValue: 1 }],
    ['by reading a single secret', [READ, BATCH], secrets('a'), { GetSecretValue: 1 }],
    ['by reading each, without the batch call', [READ], secrets('a', 'b', 'c'), { GetSecretValue: 3 }],
    ['by ten parameters a call', [READ], parameters('/p', '/q'), { GetParameters: 1 }],
  ])('%s', async ([, allows, class_, expected]) => {
    await using mounted = await startMountedNode(allows, class_);
    const { node, republish, volumes } = mounted;
    const before = await contentsOfAll(volumes);
    vi.advanceTimersByTime(INTERVAL + 1);

    expect(await callsOf(node, republish)).toEqual(expected);
    expect(await callsOf(node, republish)).toEqual({});
    expect(await contentsOfAll(volumes)).toEqual(before);
    expect(node.log.filter((line) => line.includes('"changed":true'))).toHaveLength(PODS.length);
  });

  it('by reading each, if the role may not use the batch call, which is not retried for an hour', async () => {
    await using mounted = await startMountedNode([READ], secrets('a', 'b'));
    const { node, republish, firstCalls } = mounted;
    vi.advanceTimersByTime(INTERVAL + 1);

    expect(firstCalls).toEqual({ AssumeRoleWithWebIdentity: 1, BatchGetSecretValue: 1, GetSecretValue: 2 });
    expect(await callsOf(node, republish)).toEqual({ GetSecretValue: 2 });
    vi.advanceTimersByTime(HOUR);
    // Credentials are good for an hour, too.
    expect(await callsOf(node, republish)).toEqual({
      AssumeRoleWithWebIdentity: 1,
      BatchGetSecretValue: 1,
      GetSecretValue: 2,
    });
  });
});

describe('a rotation', () => {
  it.for<readonly [string, readonly Statement[], Readonly<Record<string, number>>]>([
    ['seen by reading each', [READ], { GetSecretValue: 2 }],
    ['seen by the batch call', [READ, BATCH], { BatchGetSecretValue: 1 }],
  ])('%s is read once and reaches every volume whole', async ([, allows, expected]) => {
    await using mounted = await startMountedNode(allows, secrets('a', 'b'));
    const { node, republish, volumes } = mounted;
    const version = await node.seed.secretVersion('a', 'a2');
    vi.advanceTimersByTime(INTERVAL + 1);
    const calls = await callsOf(node, async () => {
      for (const { objectVersion } of await republish()) {
        expect(objectVersion).toContainEqual({ id: 'a', version });
      }
    });

    expect(calls).toEqual(expected);
    for (const contents of await contentsOfAll(volumes)) {
      expect(contents).toEqual({ a: ['644', 'a2'], b: ['644', 'b1'] });
    }
  });

  it('of a parameter is detected', async () => {
    await using mounted = await startMountedNode([READ], parameters('/p'));
    const { node, republish, volumes } = mounted;
    await node.seed.parameter('/p', 'p2');
    vi.advanceTimersByTime(INTERVAL + 1);

    expect(await callsOf(node, republish)).toEqual({ GetParameters: 1 });
    expect(await contentsOfAll(volumes)).toEqual(PODS.map(() => ({ _p: ['644', 'p2'] })));
  });

  it('of a parameter that was deleted and recreated is detected in every volume, although its version is 1 as before', async () => {
    await using mounted = await startMountedNode([READ], parameters('/p'));
    const { node, republish, volumes } = mounted;
    await remakeParameter(node, '/p', 'made anew');
    vi.advanceTimersByTime(INTERVAL + 1);
    const [first] = await republish();

    expect(first?.objectVersion).toEqual([{ id: '_p', version: '1' }]);
    expect(await contentsOfAll(volumes)).toEqual(PODS.map(() => ({ _p: ['644', 'made anew'] })));
  });
});

it('a pinned version is read again as well, once per interval: the role may have lost the permission', async () => {
  await using node = await startNode();
  const { version } = await node.seed.secret('a', 'a1');
  await node.seed.parameter('/p', 'p1');
  const objects = [
    { objectName: 'a', objectType: 'secretsmanager', objectVersion: version },
    { objectName: '/p', objectType: 'ssmparameter', objectVersion: '1' },
  ];
  const targetPath = await node.newTarget();
  await node.mount({ objects: JSON.stringify(objects) }, { targetPath });
  vi.advanceTimersByTime(24 * HOUR);

  for (const calls of [{ GetSecretValue: 1, GetParameters: 1 }, {}]) {
    expect(await callsOf(node, () => node.mount({ objects: JSON.stringify(objects) }, { targetPath }))).toMatchObject(
      calls,
    );
  }
});

it('a check that AWS does not answer fails the republish and keeps the files, and the next one continues', async () => {
  await using mounted = await startMountedNode([READ], secrets('a'));
  const { node, republish, volumes } = mounted;
  const before = await contentsOfAll(volumes);
  vi.advanceTimersByTime(INTERVAL + 1);
  {
    using _ = node.aws.gate.state.inject(OUTAGE);
    const calls = await callsOf(node, async () => {
      const refusals = await Promise.all(volumes.map((volume) => node.refused(secrets('a'), volume)));
      expect(refusals.map(({ message }) => message)).toEqual(PODS.map(() => expect.stringContaining('503')));
    });
    expect(calls).toEqual({ GetSecretValue: 1 });
  }
  expect(await contentsOfAll(volumes)).toEqual(before);

  vi.advanceTimersByTime(5_001);
  expect(await callsOf(node, republish)).toEqual({ GetSecretValue: 1 });
});
