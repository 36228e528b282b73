import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 60_000, interval: 50 };
const ATTACKERS = 24;
/** Each is fetched by a separate call, because it has a stage. */
const OBJECTS = 100;

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({
    args: ['--mount-timeout=110s', '--aws-request-timeout=110s', '--aws-max-attempts=1'],
  });
  await node.victimMount();
});
afterAll(() => node[Symbol.asyncDispose]());

/** Its responses do not matter, and most arrive after the end of the test. */
async function attack(namespace: string): Promise<void> {
  const names = Array.from({ length: OBJECTS }, (_, index) => ({
    objectName: `none-${index}`,
    objectType: 'secretsmanager',
    objectVersionLabel: 'AWSCURRENT',
  }));
  const pod = await node.addPod(namespace, 'greedy', 'web');
  node.mount(pod, { objects: JSON.stringify(names) }).catch(() => undefined);
}

it('a victim beside 24 namespaces with a hundred objects each is fetched within one round of all', async () => {
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
  // Once a later request has a response, the victim's call waits in the queue.
  await node.mount(await node.addPod('victims', 'late-3', 'late'), inMemory);
  const before = state.calls.length;
  released.resolve();
  await mounting;
  const turn = state.calls.slice(before).findIndex(({ role }) => role === victim);

  // Of 2,400 that are waiting.
  expect(turn).toBeGreaterThanOrEqual(0);
  expect(turn).toBeLessThan(2 * ATTACKERS);
});
