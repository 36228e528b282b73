import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 60_000, interval: 50 };
const ATTACKERS = 24;
/** Each asked for by a call of its own, as stages are. */
const OBJECTS = 100;

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({
    args: ['--mount-timeout=110s', '--aws-request-timeout=110s', '--aws-max-attempts=1'],
  });
  await node.victimMount();
});
afterAll(() => node[Symbol.asyncDispose]());

/** Its answers do not matter, and most come after the test's end. */
async function attack(namespace: string): Promise<void> {
  const names = Array.from({ length: OBJECTS }, (_, index) => ({
    objectName: `none-${index}`,
    objectType: 'secretsmanager',
    objectVersionLabel: 'AWSCURRENT',
  }));
  const pod = await node.addPod(namespace, 'greedy', 'web');
  node.mount(pod, { objects: JSON.stringify(names) }).catch(() => undefined);
}

it('a victim beside 24 namespaces that ask for a hundred objects each is asked for within one turn of all', async () => {
  const { state } = node.aws.gate;
  const victim = node.addAccount('victims', 'late');
  const inMemory = { objects: '[{objectName: victim, objectType: secretsmanager}]' };
  await node.mount(await node.addPod('victims', 'late-1', 'late'), inMemory);
  await node.seed.secret('other', 'the-victims-other');
  const released = Promise.withResolvers<void>();
  using _held = state.inject({ kind: 'hold', until: released.promise }, { service: 'secretsmanager' });
  const sessions = state.count({ service: 'sts' });
  for (let index = 0; index < ATTACKERS; index += 1) {
    node.addAccount(`attack-${index}`, 'web');
    await attack(`attack-${index}`);
  }
  await expect.poll(() => state.count({ service: 'sts' }) - sessions, SOON).toBe(ATTACKERS);
  const mounting = node.mount(await node.addPod('victims', 'late-2', 'late'), {
    objects: '[{objectName: other, objectType: secretsmanager}]',
  });
  // Once what came later is answered, the victim's call waits for its turn.
  await node.mount(await node.addPod('victims', 'late-3', 'late'), inMemory);
  const before = state.calls.length;
  released.resolve();
  await mounting;
  const turn = state.calls.slice(before).findIndex(({ role }) => role === victim);

  // Of 2,400 that wait.
  expect(turn).toBeGreaterThanOrEqual(0);
  expect(turn).toBeLessThan(2 * ATTACKERS);
});
