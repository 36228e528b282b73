import { afterAll, beforeAll, describe, it } from 'vitest';
import type { Fault } from '../../fakes/kube/faults.ts';
import { type ClusterNode, startCluster, type TestCluster } from '../rotation/cluster.ts';
import { addClass, ownedBy, secretIn, secretObject, SECRETS, SOON, SYNC } from './synced.ts';

let cluster: TestCluster;
let node: ClusterNode;

beforeAll(async () => {
  cluster = await startCluster();
  node = await cluster.startNode('node-1', [...SYNC, '--kube-timeout=6s']);
});

afterAll(() => cluster[Symbol.asyncDispose]());

function trouble(name: string, fault: Fault, methods: readonly string[] = ['GET', 'PATCH']): Disposable {
  return cluster.api.inject(
    fault,
    (method, path) =>
      methods.includes(method) && (path === `${SECRETS}/${name}` || (method === 'POST' && path === SECRETS)),
  );
}

async function timed<T>(work: () => Promise<T>): Promise<readonly [T, number]> {
  const startedAt = cluster.clock.now();
  return [await work(), cluster.clock.now() - startedAt];
}

describe.concurrent('a class with secretObjects', () => {
  it('has created the Secret by the time Mount returns, with everything that the class sets and the controller as owner', async ({
    expect,
  }) => {
    const more = { labels: { app: 'shop' }, annotations: { 'example.com/note': 'for the till' } };
    await addClass(cluster, 'whole', 'p1', { secretObjects: [secretObject('whole', { password: 'whole' }, more)] });
    const before = cluster.clock.wallNow();

    await node.startPod('whole-1', { className: 'whole', owner: ownedBy('whole-rs') });
    const stored = secretIn(cluster, 'whole');

    expect(stored).toMatchObject({
      type: 'Opaque',
      data: { password: 'p1' },
      labels: { app: 'shop', 'secrets-store.csi.k8s.io/managed': 'true' },
      annotations: { 'example.com/note': 'for the till' },
      owners: ['ReplicaSet whole-rs'],
    });
    // The time is AWS's, which is known from `Date` headers, in whole seconds.
    expect(stored?.confirmedAt).toBeGreaterThanOrEqual(before - 1_000);
    expect(stored?.confirmedAt).toBeLessThanOrEqual(cluster.clock.wallNow() + 1_000);
  });

  it('waits for a slow API server', async ({ expect }) => {
    await addClass(cluster, 'slow', 'p1');
    using _ = trouble('slow', { kind: 'delay', ms: 2_000 }, ['PATCH']);

    const [, tookMs] = await timed(() => node.startPod('slow-1', { className: 'slow' }));
    const stored = secretIn(cluster, 'slow');

    expect(tookMs).toBeGreaterThanOrEqual(2_000);
    expect(stored).toMatchObject({ data: { password: 'p1' }, owners: ['Pod slow-1'] });
  });

  it('returns from Mount after five seconds if the API server hangs, and creates the Secret later', async ({
    expect,
  }) => {
    await addClass(cluster, 'hanging', 'p1');
    const hanging = trouble('hanging', { kind: 'hang' });

    const [, tookMs] = await timed(() => node.startPod('hanging-1', { className: 'hanging' }));
    hanging[Symbol.dispose]();

    expect(tookMs).toBeGreaterThan(4_500);
    expect(tookMs).toBeLessThan(7_000);
    expect(secretIn(cluster, 'hanging')).toBeUndefined();
    await expect.poll(() => secretIn(cluster, 'hanging'), SOON).toMatchObject({ owners: ['Pod hanging-1'] });
  });

  it('creates the Secret of all pods of a Deployment that start at once before Mount returns, by few writes', async ({
    expect,
  }) => {
    await addClass(cluster, 'crowd', 'p1');
    const seen: unknown[] = [];

    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        await node.startPod(`crowd-${index}`, { className: 'crowd', owner: ownedBy('crowd-rs') });
        seen.push(secretIn(cluster, 'crowd')?.data);
      }),
    );

    expect(seen).toEqual(Array.from({ length: 10 }, () => ({ password: 'p1' })));
    expect(cluster.api.requests.filter((request) => request.startsWith(`PATCH ${SECRETS}/crowd`))).toHaveLength(2);
  });
});

// Separate, because a create has no name in its path.
describe('a class whose Secrets may not be created', () => {
  it.for([
    ['reading', 'GET', '"get" "secrets"'],
    ['writing', 'POST', '"create" "secrets"'],
  ] as const)(
    'mounts if %s Secrets is not allowed, names the permission in an event, and creates the Secret once it is allowed',
    async ([deed, method, allow], { expect }) => {
      const name = `denied-${deed}`;
      await addClass(cluster, name, 'p1');
      const denied = trouble(name, { kind: 'status', status: 403, reason: 'Forbidden', message: 'forbidden' }, [
        method,
      ]);

      await node.startPod(`${name}-1`, { className: name });
      await expect
        .poll(() => cluster.eventsOf(`${name}-1`), SOON)
        .toMatchObject([{ type: 'Warning', reason: 'SecretRefused', message: expect.stringContaining(allow) }]);
      expect(secretIn(cluster, name)).toBeUndefined();
      denied[Symbol.dispose]();

      await expect.poll(() => secretIn(cluster, name), SOON).toMatchObject({ data: { password: 'p1' } });
    },
  );
});
