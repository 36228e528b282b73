import { describe, inject, it } from 'vitest';
import { startPodIdentityAgent } from '../../fakes/aws/pod-identity-agent.ts';
import { BATCH, callsOf, READ } from '../daemon/calls.ts';
import { contentsOf } from '../daemon/node.ts';
import { startCluster, type TestCluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { StartedPod } from './objects.ts';
import { ROTATION, secret, SOON } from './values.ts';
import type { Statement } from '../../fakes/aws/policy.ts';

interface Shape {
  readonly accounts: number;
  readonly podsEach: number;
  readonly secretsEach: number;
  readonly allows: readonly Statement[];
}

/** Accounts with their own secrets (`<account>-<n>`), a class each, and pods that mount all of them. */
async function fill(
  cluster: TestCluster,
  node: ClusterNode,
  { accounts, podsEach, secretsEach, allows }: Shape,
): Promise<readonly StartedPod[]> {
  const pods = Array.from({ length: accounts }, async (_, index) => {
    const account = `account-${index}`;
    const names = namesOf(account, secretsEach);
    await cluster.addAccount(account, allows);
    for (const name of names) {
      await cluster.seed.secret(name, 'old');
    }
    await cluster.applyClass(account, { objects: names.map(secret) });
    const started: StartedPod[] = [];
    for (let pod = 0; pod < podsEach; pod += 1) {
      started.push(await node.startPod(`${account}-${pod}`, { className: account, serviceAccount: account }));
    }
    return started;
  });
  return (await Promise.all(pods)).flat();
}

function namesOf(account: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${account}-${index}`);
}

describe.concurrent('one poll serves all pods of an identity', () => {
  it.for([
    ['which may read in batches', [READ, BATCH], 'BatchGetSecretValue', 4],
    ['which may read singly', [READ], 'GetSecretValue', 16],
  ] as const)(
    '%s: 44 pods of 4 accounts, with 4 secrets each that stay the same',
    async ([, allows, action, callsALook], { expect }) => {
      await using cluster = await startCluster();
      const node = await cluster.startNode('node-1', ['--enable-secret-rotation', '--rotation-poll-interval=10s']);
      const pods = await fill(cluster, node, { accounts: 4, podsEach: 11, secretsEach: 4, allows });

      // A group is polled between 8 and 9 seconds after the start of its first pod.
      const requests = cluster.api.requests.length;
      const polls = node.said('mount is up to date').length;
      const calls = await callsOf(cluster, async () => {
        await expect
          .poll(
            () =>
              new Set(
                node
                  .said('mount is up to date')
                  .slice(polls)
                  .map(({ pod }) => pod),
              ).size,
            SOON,
          )
          .toBe(pods.length);
      });

      expect(Object.keys(calls)).toEqual([action]);
      expect(calls[action]).toBeGreaterThanOrEqual(callsALook);
      // A busy machine takes so long to start the pods that some groups are polled twice.
      expect(calls[action]).toBeLessThanOrEqual(2 * callsALook);
      // Each class, and a discovery or two of the node; a pod that no discovery has seen yet is read on its own.
      const asked = cluster.api.requests.slice(requests).filter((request) => !/\/pods\/[^/]+$/.test(request));
      expect(asked.length).toBeLessThanOrEqual(2 * 4 + 3);
      expect(node.said('mount rotated')).toEqual([]);
    },
  );

  it('except for EKS Pod Identity, where each pod is its own identity: all of them rotate', async ({ expect }) => {
    await using cluster = await startCluster();
    await using agent = await startPodIdentityAgent({
      motoUrl: inject('motoUrl'),
      gate: cluster.aws.gate.state,
      associations: new Map([['shop/web', cluster.aws.addRole('associated', [])]]),
      host: '127.0.0.1',
    });
    const node = await cluster.startNode('node-1', [...ROTATION, `--pod-identity-endpoint-ipv4=${agent.url}`]);
    await cluster.seed.secret('db', 'old');
    await cluster.applyClass('class', { objects: [secret('db')], parameters: { usePodIdentity: 'true' } });
    const pods = await Promise.all(
      Array.from({ length: 5 }, (_, index) => node.startPod(`pod-${index}`, { className: 'class' })),
    );

    await cluster.seed.secretVersion('db', 'new');

    await expect
      .poll(() => Promise.all(pods.map(({ targetPath }) => contentsOf(targetPath))), SOON)
      .toEqual(pods.map(() => ({ db: ['644', 'new'] })));
    expect(agent.count()).toBe(5);
  });
});

it.concurrent('110 mounts of 10 accounts: every pod is up to date within the interval and five seconds after every secret rotated', async ({
  expect,
}) => {
  await using cluster = await startCluster();
  const node = await cluster.startNode('node-1', ['--enable-secret-rotation', '--rotation-poll-interval=10s']);
  const shape = { accounts: 10, podsEach: 11, secretsEach: 4, allows: [READ, BATCH] };
  const pods = await fill(cluster, node, shape);

  const rotatedAt = cluster.clock.now();
  let freshAt = Infinity;
  const calls = await callsOf(cluster, async () => {
    const names = Array.from({ length: shape.accounts }, (_, index) => namesOf(`account-${index}`, shape.secretsEach));
    await Promise.all(names.flat().map((name) => cluster.seed.secretVersion(name, 'new')));
    const left = new Set(pods);
    await expect
      .poll(async () => {
        for (const pod of left) {
          const files = Object.values(await contentsOf(pod.targetPath));
          if (files.length !== shape.secretsEach || files.some(([, value]) => value !== 'new')) {
            return left.size;
          }
          left.delete(pod);
        }
        return 0;
      }, SOON)
      .toBe(0);
    freshAt = cluster.clock.now();
  });

  expect(freshAt - rotatedAt).toBeLessThan(15_000);
  // A poll may run before the rotation ends, and another after it.
  expect(calls['BatchGetSecretValue']).toBeLessThanOrEqual(3 * 10);
  expect(Object.keys(calls)).toEqual(['BatchGetSecretValue']);
  expect(node.said('mount not refreshed')).toEqual([]);
});
