import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const ATTACKERS = 24;
/** Each asked for by a call of its own, as stages are. */
const OBJECTS = 500;

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode({ args: ['--mount-timeout=100s', '--aws-max-attempts=1'] });
  await node.victimMount();
});
afterAll(() => node[Symbol.asyncDispose]());

/** Its answers do not matter, and most come after the test's end. */
async function attack(account: string): Promise<void> {
  const names = Array.from({ length: OBJECTS }, (_, index) => ({
    objectName: `none-${index}`,
    objectType: 'secretsmanager',
    objectVersionLabel: 'AWSCURRENT',
  }));
  const pod = await node.addPod('attack', account, account);
  node.mount(pod, { objects: JSON.stringify(names) }).catch(() => undefined);
}

it('a victim beside 24 identities that ask for 500 objects each is asked for within one turn of all', async () => {
  const { state } = node.aws.gate;
  const victim = node.addAccount('victims', 'late');
  // Its credentials are there: what is measured is the turn of one call.
  await node.mount(await node.addPod('victims', 'late-1', 'late'), {
    objects: '[{objectName: victim, objectType: secretsmanager}]',
  });
  await node.seed.secret('other', 'the-victims-other');
  using _ = state.inject({ kind: 'delay', ms: 200 }, { service: 'secretsmanager' });
  const accounts = Array.from({ length: ATTACKERS }, (_unused, index) => `greedy-${index}`);
  for (const account of accounts) {
    node.addAccount('attack', account);
    await attack(account);
  }
  await vi.waitFor(() => expect(state.count({ action: 'secretsmanager:GetSecretValue' })).toBeGreaterThan(100), 60_000);

  const before = state.calls.length;
  const pod = await node.addPod('victims', 'late-2', 'late');
  await node.mount(pod, { objects: '[{objectName: other, objectType: secretsmanager}]' });
  const after = state.calls.slice(before);
  const turn = after.findIndex(({ role, action }) => role === victim && action === 'secretsmanager:GetSecretValue');

  // Those under way, one of each other identity, and what came while the call was on its way: of 12,000 that wait.
  expect(turn).toBeGreaterThanOrEqual(0);
  expect(turn).toBeLessThan(200);
});
