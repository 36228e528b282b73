import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { type Fault, OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import { contentsOf } from '../daemon/node.ts';
import { layoutOf, layoutWith, statsBelow } from '../publish/pod-view.ts';
import type { ClusterNode } from './cluster-node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import { statusPath, versionsOf } from './objects.ts';
import { ROTATION, secret, SOON } from './values.ts';

const ONCE = '--aws-max-attempts=1';
const DENIED = {
  kind: 'error',
  status: 400,
  code: 'AccessDeniedException',
  message: 'User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: secretsmanager:GetSecretValue',
} as const;
const MISSING = {
  kind: 'error',
  status: 400,
  code: 'ResourceNotFoundException',
  message: "Secrets Manager can't find the specified secret.",
} as const;

describe.concurrent('during the life of a pod', () => {
  let cluster: TestCluster;
  let node: ClusterNode;
  /** For what AWS never answers. */
  let impatient: ClusterNode;

  beforeAll(async () => {
    cluster = await startCluster();
    node = await cluster.startNode('node-1', [...ROTATION, ONCE]);
    impatient = await cluster.startNode('node-2', [...ROTATION, ONCE, '--aws-request-timeout=2s']);
  });

  afterAll(() => cluster[Symbol.asyncDispose]());

  it.for<readonly [string, Fault, string, RegExp]>([
    ['broken connections', { kind: 'reset' }, 'StoreUnavailable', /check the network between the node and AWS/],
    ['an outage', OUTAGE, 'StoreUnavailable', /failoverRegion/],
    ['no answer', { kind: 'hang' }, 'StoreUnavailable', /check the network between the node and AWS/],
    ['throttling', THROTTLED, 'Throttled', /mount fewer objects at once/],
    ['a denial', DENIED, 'AccessDenied', /allow secretsmanager:GetSecretValue on/],
    ['a secret that is gone', MISSING, 'ObjectNotFound', /check its name/],
  ])(
    '%s: the old files stay, one event reports it, and the new ones arrive without a call',
    async (row, { expect }) => {
      const [what, fault, reason, remedy] = row;
      const asked = fault.kind === 'hang' ? impatient : node;
      const name = what.replaceAll(' ', '-');
      const other = `other-of-${name}`;
      await cluster.addAccount(name);
      await cluster.seed.secret(name, 'old');
      await cluster.seed.secret(other, 'old');
      await cluster.applyClass(name, { objects: [secret(name), secret(other)] });
      const pod = await asked.startPod(name, { className: name, serviceAccount: name });
      const before = statsBelow(pod.targetPath);
      const failing = cluster.aws.gate.state.inject(fault, { resource: name });

      await cluster.seed.secretVersion(name, 'new');
      await cluster.seed.secretVersion(other, 'new');
      await expect.poll(() => ofPod(asked, name).length, SOON).toBeGreaterThan(2);

      expect(statsBelow(pod.targetPath)).toEqual(before);
      expect(await cluster.eventsOf(name)).toEqual([
        { type: 'Warning', reason, message: expect.stringMatching(/the pod keeps the files it has/), count: 1 },
      ]);
      expect((await cluster.eventsOf(name))[0]?.message).toMatch(remedy);
      const failures = ofPod(asked, name);
      expect(failures.map((line) => line['failures'])).toEqual(failures.map((_, index) => index + 1));
      const ages = failures.map((line) => Number(line['ageMs']));
      expect(ages).toEqual(ages.toSorted((one, next) => one - next));
      failing[Symbol.dispose]();
      await expect
        .poll(() => contentsOf(pod.targetPath), SOON)
        .toEqual({ [name]: ['644', 'new'], [other]: ['644', 'new'] });
      await expect
        .poll(async () => (await cluster.eventsOf(name)).map((event) => event.reason).toSorted(), SOON)
        .toEqual([reason, 'SecretsRefreshed', 'SecretsRotated'].toSorted());
    },
  );

  it.skipIf(process.getuid?.() !== 0)(
    'a full volume: the old files stay, and new ones that fit arrive without a call',
    async ({ expect }) => {
      await cluster.seed.secret('large', 'old');
      await cluster.applyClass('large', { objects: [secret('large')] });
      const pod = await node.startPod('large', {
        className: 'large',
        prepare: (path) => execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', path]),
      });
      using _ = { [Symbol.dispose]: () => execFileSync('umount', ['--lazy', pod.targetPath]) };

      await cluster.seed.secretVersion('large', 'x'.repeat(65_000));

      await expect
        .poll(() => cluster.eventsOf('large'), SOON)
        .toMatchObject([{ reason: 'VolumeUnwritable', message: expect.stringContaining('tmpfs for 65000 bytes') }]);
      expect(await contentsOf(pod.targetPath)).toEqual({ large: ['644', 'old'] });
      expect(layoutOf(pod.targetPath)).toEqual(layoutWith('large'));
      await cluster.seed.secretVersion('large', 'new');
      await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ large: ['644', 'new'] });
      await expect
        .poll(async () => (await cluster.eventsOf('large')).map((event) => event.reason), SOON)
        .toContain('SecretsRefreshed');
    },
  );

  it('versions that may not be recorded: the files are new, and the event says so', async ({ expect }) => {
    await cluster.seed.secret('unnoted', 'old');
    await cluster.applyClass('unnoted', { objects: [secret('unnoted')] });
    const pod = await node.startPod('unnoted', { className: 'unnoted' });
    using _ = cluster.api.inject(
      { kind: 'status', status: 403, message: 'no', reason: 'Forbidden' },
      (method, path) => method === 'PATCH' && path === statusPath(pod),
    );

    await cluster.seed.secretVersion('unnoted', 'new');

    await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ unnoted: ['644', 'new'] });
    await expect
      .poll(() => cluster.eventsOf('unnoted'), SOON)
      .toMatchObject([
        { reason: 'SecretsRotated' },
        {
          type: 'Warning',
          reason: 'KubernetesUnavailable',
          message: expect.stringMatching(/files are up to date, but .* allow .* "secretproviderclasspodstatuses"/),
        },
      ]);
  });

  it('a problem of one pod does not affect another, although they share an identity', async ({ expect }) => {
    await cluster.addAccount('shared');
    for (const name of ['well', 'ill']) {
      await cluster.seed.secret(name, 'old');
      await cluster.applyClass(name, { objects: [secret(name)] });
    }
    const well = await node.startPod('well', { className: 'well', serviceAccount: 'shared' });
    const ill = await node.startPod('ill', { className: 'ill', serviceAccount: 'shared' });
    using _ = cluster.aws.gate.state.inject(DENIED, { resource: 'ill' });

    for (const name of ['well', 'ill']) {
      await cluster.seed.secretVersion(name, 'new');
    }

    await expect.poll(() => contentsOf(well.targetPath), SOON).toEqual({ well: ['644', 'new'] });
    await expect.poll(() => cluster.eventsOf('ill'), SOON).toMatchObject([{ reason: 'AccessDenied' }]);
    expect(await contentsOf(ill.targetPath)).toEqual({ ill: ['644', 'old'] });
    expect((await cluster.eventsOf('well')).map(({ type }) => type)).not.toContain('Warning');
  });
});

function ofPod(node: ClusterNode, pod: string): readonly Readonly<Record<string, unknown>>[] {
  return node.said('mount not refreshed').filter((line) => line['pod'] === pod);
}

describe.concurrent('AWS is polled less and less often', () => {
  it.for([
    ['in an outage', OUTAGE, 'StoreUnavailable'],
    ['while it throttles', THROTTLED, 'Throttled'],
  ] as const)('%s', async ([, fault, reason], { expect }) => {
    await using cluster = await startCluster();
    const flags = [
      '--enable-secret-rotation',
      '--token-request',
      '--rotation-poll-interval=1h',
      '--aws-max-attempts=1',
    ];
    // With this jitter the node polls its first pods at once, and waits the least.
    const node = await cluster.startNode('node-11', flags);
    await cluster.seed.secret('db', 'value');
    await cluster.applyClass('class', { objects: [secret('db')] });
    const pods = await Promise.all(
      Array.from({ length: 5 }, (_, index) => node.startPod(`pod-${index}`, { className: 'class' })),
    );
    const { state } = cluster.aws.gate;
    using _ = state.inject(fault, { service: 'secretsmanager' });

    // A process that has just started polls soon.
    await node.restart();
    const begun = state.count({ service: 'secretsmanager' });
    await cluster.clock.sleep(11_000);

    // After 5 seconds and after 10 more.
    expect(state.count({ service: 'secretsmanager' }) - begun).toBe(2);
    expect(ofPod(node, 'pod-0')).toHaveLength(2);
    for (const pod of pods) {
      expect(await cluster.eventsOf(pod.name)).toMatchObject([{ reason, count: 1 }]);
    }
  });
});

describe.concurrent('without the pods’ tokens', () => {
  it.for([
    [
      'the API server gives none',
      'TokenMissing',
      /allow the provider's service account to "create" "serviceaccounts\/token"/,
      ({ api }: TestCluster) =>
        api.inject(
          { kind: 'status', status: 403, message: 'no', reason: 'Forbidden' },
          (method, path) => method === 'POST' && path.endsWith('/token'),
        ),
    ],
    [
      'STS takes none',
      'CredentialsRefused',
      /its trust policy must allow sts:AssumeRoleWithWebIdentity/,
      ({ aws }: TestCluster) => {
        const [role] = aws.gate.state.roles.values();
        aws.gate.state.addRole({ ...role!, trusts: [] });
        return { [Symbol.dispose]: () => aws.gate.state.addRole(role!) };
      },
    ],
  ] as const)(
    'the files stay, one event reports it, and rotation continues once there are some: %s',
    async (row, { expect }) => {
      const [, reason, remedy, begin] = row;
      await using cluster = await startCluster();
      const node = await cluster.startNode('node-1', [...ROTATION, '--token-request']);
      await cluster.seed.secret('db', 'old');
      await cluster.applyClass('class', { objects: [secret('db')] });
      const pod = await node.startPod('web-1', { className: 'class', hasTokens: false });
      const before = statsBelow(pod.targetPath);
      const failing = begin(cluster);

      await node.restart(() => cluster.seed.secretVersion('db', 'new'));
      await expect.poll(() => ofPod(node, 'web-1').length, SOON).toBeGreaterThan(2);

      expect(statsBelow(pod.targetPath)).toEqual(before);
      expect(await cluster.eventsOf('web-1')).toEqual([
        { type: 'Warning', reason, message: expect.stringMatching(remedy), count: 1 },
      ]);
      failing[Symbol.dispose]();
      await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ db: ['644', 'new'] });
      await expect
        .poll(async () => (await cluster.eventsOf('web-1')).map((event) => event.reason), SOON)
        .toContain('SecretsRefreshed');
    },
  );
});

describe.concurrent('while the API server is down', () => {
  it.for(['reset', 'hang'] as const)(
    'values rotate by the last known class, and are recorded when it is back: %s',
    async (kind, { expect }) => {
      await using cluster = await startCluster();
      const node = await cluster.startNode('node-1', [...ROTATION, '--kube-timeout=300ms']);
      await cluster.seed.secret('db', 'old');
      await cluster.applyClass('class', { objects: [secret('db')] });
      const pod = await node.startPod('web-1', { className: 'class' });

      cluster.api.fault = { kind };
      const version = await cluster.seed.secretVersion('db', 'new');

      await expect.poll(() => contentsOf(pod.targetPath), SOON).toEqual({ db: ['644', 'new'] });
      await expect.poll(() => node.said('mounts not discovered').length, SOON).toBeGreaterThan(1);
      cluster.api.fault = undefined;
      await expect.poll(() => versionsOf(cluster.kube, pod), SOON).toEqual({ db: version });
      expect(node.said('bug in rotation')).toEqual([]);
    },
  );
});
