import { expect, it } from 'vitest';
import { startCluster } from '../rotation/cluster.ts';
import { addClass, INTERVAL_MS, secretIn, SOON, SYNC } from '../sync/synced.ts';
import { addWorkload, untilNoted, watchRolls } from './workloads.ts';

it('restarts a workload no sooner than the minimum interval after the last restart, and then once for the latest values', async () => {
  await using cluster = await startCluster();
  const args = [...SYNC, '--restart-on-rotation', '--restart-min-interval=30m'];
  await using one = await cluster.startNode('patient-1', args);
  await using other = await cluster.startNode('patient-2', args);
  await addClass(cluster, 'patient', 'p1');
  const owner = addWorkload(cluster, 'Deployment', 'patient', { secrets: 'patient' });
  using rolls = watchRolls(cluster, 'Deployment', 'patient');
  await one.startPod('patient-1', { className: 'patient', owner });
  await other.startPod('patient-2', { className: 'patient', owner });
  await untilNoted(expect, cluster, 'Deployment', 'patient');

  await cluster.seed.secretVersion('patient', 'p2');
  await expect.poll(() => rolls.seen, SOON).toHaveLength(1);
  for (const value of ['p3', 'p4']) {
    await cluster.seed.secretVersion('patient', value);
    await expect.poll(() => secretIn(cluster, 'patient')?.data, SOON).toEqual({ password: value });
  }
  await cluster.clock.sleep(2 * INTERVAL_MS);
  expect(rolls.seen).toHaveLength(1);
  cluster.aws.gate.state.aheadMs = 30 * 60_000;
  await expect.poll(() => rolls.seen, SOON).toHaveLength(2);
  const [first, second] = rolls.seen.map(({ restartedAt = '' }) => Date.parse(restartedAt));
  await cluster.clock.sleep(2 * INTERVAL_MS);

  expect(second! - first!).toBeGreaterThanOrEqual(30 * 60_000);
  expect(rolls.seen).toHaveLength(2);
});
