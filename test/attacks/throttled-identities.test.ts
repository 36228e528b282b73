import { afterEach, beforeEach, expect, it } from 'vitest';
import { THROTTLED } from '../fakes/aws/faults.ts';
import { type AttackedNode, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 60_000, interval: 20 };
const ATTACKERS = 24;
/** The SDK's retry delays grow: the last attempt comes half a minute after the first. */
const ATTEMPTS = 10;
/** Each takes a separate call, because it has a stage. */
const OBJECTS = Array.from({ length: 8 }, (_, index) => ({
  objectName: `throttled-${index}`,
  objectType: 'secretsmanager',
  objectVersionLabel: 'AWSCURRENT',
}));

let node: AttackedNode;
beforeEach(async () => {
  node = await startAttackedNode({ args: [`--aws-max-attempts=${ATTEMPTS}`, '--mount-timeout=110s'] });
});
afterEach(() => node[Symbol.asyncDispose]());

/** @returns ARNs of the attackers' roles */
function addAttackers(): readonly string[] {
  return Array.from({ length: ATTACKERS }, (_, index) => node.addAccount(`attack-${index}`, 'web'));
}

/** Does not wait for the mounts, which end with the process. */
async function attack(): Promise<void> {
  for (let index = 0; index < ATTACKERS; index += 1) {
    const pod = await node.addPod(`attack-${index}`, 'web-1', 'web');
    node.mount(pod, { objects: JSON.stringify(OBJECTS) }).catch(() => undefined);
  }
}

/** The highest number of attempts at one request to a service. */
function mostAttempts(service: string): number {
  const calls = node.aws.gate.state.calls.filter((call) => call.service === service);
  const questions = Map.groupBy(calls, ({ role, resources }) => `${role} ${resources.join(' ')}`);
  return Math.max(0, ...[...questions.values()].map(({ length }) => length));
}

it('roles that STS throttles do not delay the credentials of others while they wait for a retry', async () => {
  const { state } = node.aws.gate;
  const faults = addAttackers().map((resource) => state.inject(THROTTLED, { service: 'sts', resource }));
  await attack();
  await expect.poll(() => state.count({ service: 'sts' }), SOON).toBeGreaterThanOrEqual(16);

  await node.victimMount();

  expect(mostAttempts('sts')).toBeLessThan(ATTEMPTS);
  expect(faults).toHaveLength(ATTACKERS);
});

it('identities that Secrets Manager throttles do not delay the secrets of others while they wait for a retry', async () => {
  const { state } = node.aws.gate;
  addAttackers();
  const faults = OBJECTS.map(({ objectName: resource }) => state.inject(THROTTLED, { resource }));
  await attack();
  await expect.poll(() => state.count({ service: 'secretsmanager' }), SOON).toBeGreaterThanOrEqual(32);

  await node.victimMount();

  expect(mostAttempts('secretsmanager')).toBeLessThan(ATTEMPTS);
  expect(faults).toHaveLength(OBJECTS.length);
});
