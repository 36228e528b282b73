import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import { BATCH, callsOf, READ, secrets } from './calls.ts';
import { contentsOf, POD, startNode, type TestNode } from './node.ts';

const GET_BATCH = { action: 'secretsmanager:BatchGetSecretValue' };
const NO = {
  kind: 'error',
  status: 400,
  code: 'InvalidRequestException',
  message: 'You are not allowed to mix',
} as const;

// Time passes only when a test advances it.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A node whose pods may use the batch call. */
async function startSeededNode(): Promise<TestNode> {
  const node = await startNode({ args: ['--aws-max-attempts=1'] });
  await Promise.all([node.seed.secret('a', 'a1'), node.seed.secret('b', 'b1')]);
  node.aws.addRole('web', ['shop/web'], [READ, BATCH]);
  return node;
}

it('fetches twenty secrets per call, and a remaining one separately', async () => {
  await using node = await startSeededNode();
  const names = Array.from({ length: 41 }, (_, index) => `s${index}`);
  await Promise.all(names.map((name) => node.seed.secret(name, `value of ${name}`)));
  const targetPath = await node.newTarget();
  const calls = await callsOf(node, () => node.mount(secrets(...names), { targetPath }));

  expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, BatchGetSecretValue: 2, GetSecretValue: 1 });
  expect(await contentsOf(targetPath)).toEqual(
    Object.fromEntries(names.map((name) => [name, ['644', `value of ${name}`]])),
  );
});

it('returns text, bytes and objects named by ARN, and leaves versions and stages to single calls', async () => {
  await using node = await startSeededNode();
  await node.seed.secret('bytes', Uint8Array.of(0, 255, 10));
  const { arn, version } = await node.seed.secret('by-arn', 'first');
  await node.seed.secretVersion('by-arn', 'second');
  const objects = [
    { objectName: 'a' },
    { objectName: 'bytes' },
    { objectName: arn, objectAlias: 'current' },
    { objectName: arn, objectAlias: 'previous', objectVersionLabel: 'AWSPREVIOUS' },
    { objectName: 'by-arn', objectAlias: 'pinned', objectVersion: version },
  ].map((object) => ({ objectType: 'secretsmanager', ...object }));
  const targetPath = await node.newTarget();
  const calls = await callsOf(node, () => node.mount({ objects: JSON.stringify(objects) }, { targetPath }));

  expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, BatchGetSecretValue: 1, GetSecretValue: 2 });
  expect(await contentsOf(targetPath)).toEqual({
    a: ['644', 'a1'],
    bytes: ['644', '\0\uFFFD\n'],
    current: ['644', 'second'],
    pinned: ['644', 'first'],
    previous: ['644', 'first'],
  });
});

describe('if the batch call fails', () => {
  it.for([
    ['is refused as a whole, though its parts are sound', NO],
    ['is throttled, as its quota is a hundredth of the single call’s', THROTTLED],
  ] as const)('because it %s, each secret is fetched separately', async ([, fault]) => {
    await using node = await startSeededNode();
    using _ = node.aws.gate.state.inject(fault, GET_BATCH);

    expect(await callsOf(node, () => node.mount(secrets('a', 'b')))).toEqual({
      AssumeRoleWithWebIdentity: 1,
      BatchGetSecretValue: 1,
      GetSecretValue: 2,
    });
    using _again = node.aws.gate.state.inject(fault, GET_BATCH);
    vi.advanceTimersByTime(120_001);
    expect(await callsOf(node, () => node.mount(secrets('a', 'b'), { pod: { ...POD, name: 'web-2' } }))).toMatchObject({
      BatchGetSecretValue: 1,
    });
  });

  it('because the store is down, it is not called twenty more times', async () => {
    await using node = await startSeededNode();
    using _ = node.aws.gate.state.inject(OUTAGE, GET_BATCH);
    const calls = await callsOf(node, async () => {
      const { message } = await node.refused(secrets('a', 'b'));
      expect(message).toMatch(/2 problems: .*secret a: 503: .*secret b: 503: /);
    });

    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, BatchGetSecretValue: 1 });
  });
});

describe('a secret that the batch call does not return', () => {
  it('is fetched separately: it may belong to another account, which only GetSecretValue reaches', async () => {
    await using node = await startSeededNode();
    const { arn } = await node.seed.secret('of-another-account', 'theirs');
    node.aws.addRole('web', ['shop/web'], [READ, BATCH]);
    const error = { SecretId: arn, ErrorCode: 'ResourceNotFoundException', Message: "can't find the specified secret" };
    const { arn: own } = await node.seed.secret('own', 'ours');
    const value = { ARN: own, Name: 'own', VersionId: '00000000-0000-0000-0000-000000000001', SecretString: 'ours' };
    using _ = node.aws.gate.state.inject(
      { kind: 'garble', status: 200, body: JSON.stringify({ SecretValues: [value], Errors: [error] }) },
      GET_BATCH,
    );
    const targetPath = await node.newTarget();
    const calls = await callsOf(node, () => node.mount(secrets('own', arn), { targetPath }));

    expect(calls).toEqual({ AssumeRoleWithWebIdentity: 1, BatchGetSecretValue: 1, GetSecretValue: 1 });
    expect(Object.values(await contentsOf(targetPath)).map(([, text]) => text)).toEqual(
      expect.arrayContaining(['ours', 'theirs']),
    );
  });

  it('never gets the value of another whose ARN has the same beginning, if it is named by a partial ARN', async () => {
    await using node = await startSeededNode();
    const [{ arn }, { arn: longer, version }] = await Promise.all([
      node.seed.secret('db', 'of db'),
      node.seed.secret('db-prod', 'of db-prod'),
    ]);
    const partial = arn.slice(0, arn.lastIndexOf('-'));
    expect(longer.startsWith(partial)).toBe(true);
    const value = { ARN: longer, Name: 'db-prod', VersionId: version, SecretString: 'of db-prod' };
    using _ = node.aws.gate.state.inject(
      { kind: 'garble', status: 200, body: JSON.stringify({ SecretValues: [value], Errors: [] }) },
      GET_BATCH,
    );
    const targetPath = await node.newTarget();
    const objects = [{ objectName: partial, objectAlias: 'db' }, { objectName: 'db-prod' }].map((object) => ({
      objectType: 'secretsmanager',
      ...object,
    }));
    await node.mount({ objects: JSON.stringify(objects) }, { targetPath });

    expect(await contentsOf(targetPath)).toEqual({ db: ['644', 'of db'], 'db-prod': ['644', 'of db-prod'] });
  });

  it('is reported with its own error, if the role may not read it', async () => {
    await using node = await startSeededNode();
    const some = { actions: ['secretsmanager:GetSecretValue'], resources: ['*:secret:a-*'] };
    node.aws.addRole('web', ['shop/web'], [some, BATCH]);
    const { message } = await node.refused(secrets('a', 'b'));

    expect(message).toMatch(
      /secret b: 400: us-east-1: AccessDeniedException: .*request id .*allow secretsmanager:GetSecretValue on/,
    );
    expect(message).not.toContain('secret a');
  });
});
