import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { createVirtualClock } from '../../fakes/virtual-clock.ts';
import { contentsOf, POD, startNode, type TestNode } from './node.ts';

const SECRET = '[{objectName: db, objectType: secretsmanager}]';
/** The codes after which the kubelet starts again; any other would start the pod with an empty volume (driver 1.6.0). */
const SAFE = ['UNKNOWN', 'INVALID_ARGUMENT', 'NOT_FOUND', 'PERMISSION_DENIED', 'FAILED_PRECONDITION', 'INTERNAL'];
/** Nothing is cached, and nothing is retried. */
const ONCE = ['--rotation-poll-interval=1us', '--aws-max-attempts=1'];
const HOUR_MS = 3_600_000;
const GET = { action: 'secretsmanager:GetSecretValue' };
/** For events that may come late on a busy machine. */
const SOON = { timeout: 30_000 };

describe('a mount that fails', () => {
  let node: TestNode;

  beforeAll(async () => {
    node = await startNode({ args: ONCE });
    await node.seed.secret('db', 'v1');
  });
  afterAll(() => node[Symbol.asyncDispose]());

  it('names every object that failed, each with its own reason, and writes nothing', async () => {
    const targetPath = await node.newTarget();
    const objects = `
- {objectName: db, objectType: secretsmanager}
- {objectName: absent, objectType: secretsmanager}
- {objectName: /none, objectType: ssmparameter}`;
    const { code, message } = await node.refused({ objects }, { targetPath });

    expect(code).toBe('NOT_FOUND');
    expect(message).toContain('absent');
    expect(message).toContain('/none');
    expect(message).toContain('us-east-1');
    expect(message).toContain('ResourceNotFoundException');
    expect(message).toMatch(/request id/i);
    expect(message).toContain(node.roleArn);
    expect(await contentsOf(targetPath)).toEqual({});
  });

  it('reports every problem of a class at once', async () => {
    const objects = '[{objectName: a}, {objectName: b, objectType: sts}, {objectType: ssmparameter}]';
    const { code, message } = await node.refused({ objects, pathTranslation: 'long' });

    expect(code).toBe('INVALID_ARGUMENT');
    for (const fragment of [
      'pathTranslation must be',
      'Must use objectType',
      'Invalid objectType',
      'name must be specified',
    ]) {
      expect(message.toLowerCase()).toContain(fragment.toLowerCase());
    }
  });

  it('names the tokenRequests entry that the driver lacks', async () => {
    const { message } = await node.refused({ objects: SECRET }, { tokens: { other: 't' } });

    expect(message).toContain('tokenRequests');
    expect(message).toContain('sts.amazonaws.com');
  });

  it.for([
    ['broken (5xx)', OUTAGE, '503'],
    ['cut off', { kind: 'reset' }, 'ECONNRESET'],
  ] as const)('reports that a store is %s, with a safe code', async ([, fault, fragment]) => {
    using _ = node.aws.gate.state.inject(fault, GET);
    const { code, message } = await node.refused({ objects: SECRET });

    expect(SAFE).toContain(code);
    expect(message).toContain('db');
    expect(message).toContain(fragment);
  });

  it('reports that a store hangs, with a safe code', async () => {
    await using hasty = await startNode({ args: [...ONCE, '--aws-request-timeout=300ms'] });
    await hasty.seed.secret('db', 'v1');
    // The first calls of a process take longer than that; a hanging call takes longer than anything.
    await expect.poll(() => hasty.mount({ objects: SECRET }).catch(() => undefined), SOON).toBeDefined();
    using _ = hasty.aws.gate.state.inject({ kind: 'hang' }, GET);
    const { code, message } = await hasty.refused({ objects: SECRET });

    expect(SAFE).toContain(code);
    expect(message).toContain('db');
    expect(message).toContain('us-east-1');
  });

  it('reports that a store throttles until the deadline, with a safe code', async () => {
    const clock = createVirtualClock(Date.now());
    await using throttled = await startNode({ args: ONCE, clock });
    await throttled.seed.secret('db', 'v1');
    using _ = throttled.aws.gate.state.inject(THROTTLED, GET);
    const refused = throttled.refused({ objects: SECRET });
    await expect
      .poll(() => clock.advance(500).then(() => throttled.aws.gate.state.count(GET)), SOON)
      .toBeGreaterThan(2);
    await clock.advance(HOUR_MS);

    const { code, message } = await refused;
    expect(SAFE).toContain(code);
    expect(message).toContain('db');
    expect(message).toContain('Rate exceeded');
  });

  it('is none that the clock of AWS causes by being ahead of the node’s', async () => {
    await using behind = await startNode({ args: ONCE });
    await behind.seed.secret('db', 'v1');
    behind.aws.gate.state.aheadMs = HOUR_MS / 4;

    // The first call learns the time from AWS.
    await behind.mount({ objects: SECRET });
    const targetPath = await behind.newTarget();
    await behind.mount({ objects: SECRET }, { targetPath });

    expect(await contentsOf(targetPath)).toEqual({ db: ['644', 'v1'] });
  });

  it('keeps the files of the previous mount', async () => {
    const targetPath = await node.newTarget();
    await node.mount({ objects: SECRET }, { targetPath });
    const objects = `${SECRET.slice(0, -1)}, {objectName: absent, objectType: secretsmanager}]`;
    await node.refused({ objects }, { targetPath });

    expect(await contentsOf(targetPath)).toEqual({ db: ['644', 'v1'] });
  });

  it('reports an expired token', async () => {
    await using fresh = await startNode();
    const tokens = { 'sts.amazonaws.com': mintToken('shop/web', { exp: 1 }) };
    const { code, message } = await fresh.refused({ objects: SECRET }, { tokens });

    expect(code).toBe('PERMISSION_DENIED');
    expect(message).toContain('expired');
  });

  it('reports a service account without a role', async () => {
    node.api.put({ kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'plain' } });
    const { code, message } = await node.refused({ objects: SECRET }, { pod: { ...POD, serviceAccount: 'plain' } });

    expect(code).toBe('FAILED_PRECONDITION');
    expect(message).toContain('IAM role must be associated');
  });

  it('survives an invalid request', async () => {
    const request = { attributes: '[', secrets: '', targetPath: '/x', permission: '', currentObjectVersion: [] };
    await expect(node.client.mount(request, AbortSignal.timeout(5_000))).rejects.toThrow(
      'failed to unmarshal attributes',
    );

    expect((await node.mount({ objects: SECRET })).objectVersion).toHaveLength(1);
  });
});

describe('a long call', () => {
  it('ends at the mount timeout, naming it, with a safe code', async () => {
    const clock = createVirtualClock(Date.now());
    await using node = await startNode({ args: ['--mount-timeout=20s'], clock });
    await node.seed.secret('db', 'v1');
    using _ = node.aws.gate.state.inject({ kind: 'hang' });
    const refused = node.refused({ objects: SECRET });
    await expect.poll(() => node.aws.gate.state.count(), SOON).toBe(1);
    await clock.advance(20_000);

    expect(await refused).toMatchObject({ code: 'UNKNOWN', message: expect.stringContaining('--mount-timeout') });
  });

  it('ends when the driver cancels it, and leaves the volume unchanged', async () => {
    await using node = await startNode();
    await node.seed.secret('db', 'v1');
    const targetPath = await node.newTarget();
    using _ = node.aws.gate.state.inject({ kind: 'hang' }, GET);
    const giving = new AbortController();
    const refused = node.refused({ objects: SECRET }, { targetPath, signal: giving.signal });
    await expect.poll(() => node.aws.gate.state.count(GET), SOON).toBe(1);
    giving.abort();

    expect((await refused).code).toBe('CANCELLED');
    await expect.poll(() => node.log.filter((line) => line.includes('mount failed')), SOON).toHaveLength(1);
    expect(await contentsOf(targetPath)).toEqual({});
  });
});

// mount(8) needs root, which CI and the provider's container have.
describe.runIf(process.getuid?.() === 0)('a volume that cannot be written', () => {
  let node: TestNode;

  beforeAll(async () => {
    node = await startNode();
    await node.seed.secret('db', 'v'.repeat(60_000));
  });
  afterAll(() => node[Symbol.asyncDispose]());

  it.for([
    ['read-only', 'ro', 'EROFS'],
    ['full', 'size=16k', 'ENOSPC'],
  ] as const)('is reported: %s', async ([, options, errno]) => {
    const targetPath = await node.newTarget();
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', targetPath]);
    try {
      const { code, message } = await node.refused({ objects: SECRET }, { targetPath });

      expect(code).toBe('INTERNAL');
      expect(message).toContain(errno);
      expect(await contentsOf(targetPath)).toEqual({});
    } finally {
      execFileSync('umount', [targetPath]);
    }
  });
});
