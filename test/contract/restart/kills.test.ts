import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { expect, it } from 'vitest';
import { startCluster } from '../rotation/cluster.ts';
import { startAside } from '../rotation/provider.ts';
import { startKillingProxy } from '../sync/killing-proxy.ts';
import { addClass, secretIn, SECRETS, SOON, SYNC } from '../sync/synced.ts';
import { addWorkload, watchRolls, workloadIn, workloadPath } from './workloads.ts';

const WORKLOAD = workloadPath('Deployment', 'web');

it('a provider killed between Secret and workload, or at the restart, and the next one restart once for each rotation', async () => {
  await using cluster = await startCluster(SYSTEM_CLOCK);
  await using proxy = await startKillingProxy(cluster.api.url);
  const args = [...SYNC, '--token-request', '--restart-on-rotation', '--restart-min-interval=1ms'];
  const node = await cluster.startNode('node-1', args, { start: startAside, kubeconfig: proxy.kubeconfig });
  await addClass(cluster, 'web', 'p0');
  const owner = addWorkload(cluster, 'Deployment', 'web', { secrets: 'web' });
  await node.startPod('web-1', { className: 'web', owner });
  using rolls = watchRolls(cluster, 'Deployment', 'web');
  const places = [
    ['before the Secret', 'before', `${SECRETS}/web`],
    ['before the restart', 'before', WORKLOAD],
    ['after the restart', 'after', WORKLOAD],
  ] as const;

  for (const [index, [place, how, target]] of places.entries()) {
    const value = `p${index + 1}`;
    const killed = proxy.kill(node.provider.pid, how, 1, (method, path) => method === 'PATCH' && path === target);
    await cluster.seed.secretVersion('web', value);
    await killed;
    const rolled = rolls.seen.length;
    await node.restart(undefined, 'SIGKILL');

    await expect.poll(() => rolls.seen.length, { ...SOON, message: place }).toBe(index + 1);
    const asked = cluster.aws.gate.state.count({ resource: 'web' });
    await expect.poll(() => cluster.aws.gate.state.count({ resource: 'web' }), SOON).toBeGreaterThan(asked + 3);
    expect({ place, rolled, now: rolls.seen.length, data: secretIn(cluster, 'web')?.data }).toEqual({
      place,
      rolled: how === 'after' ? index + 1 : index,
      now: index + 1,
      data: { password: value },
    });
  }

  expect(new Set(rolls.seen.map(({ template }) => template)).size).toBe(places.length);
  expect(workloadIn(cluster, 'Deployment', 'web')).toEqual(rolls.seen.at(-1));
});
