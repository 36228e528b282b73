import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RequestMatch } from '../fakes/aws/faults.ts';
import { putClass } from './node/attack-class.ts';
import { type AttackedNode, type AttackPod, REGION, startAttackedNode } from './node/attacked-node.ts';

const SOON = { timeout: 60_000, interval: 50 };
/** Service accounts of one namespace. */
const ACCOUNTS = 24;
const ATTACKER = 'attack';
const HELD = Array.from({ length: 8 }, (_, index) => `held-${index}`);

let node: AttackedNode;
beforeEach(async () => {
  node = await startAttackedNode({
    args: [
      '--enable-secret-rotation',
      '--rotation-poll-interval=2s',
      // No request to AWS times out before the test ends.
      '--aws-request-timeout=1h',
      '--aws-max-attempts=1',
      '--mount-timeout=1h',
    ],
  });
});
afterEach(() => node[Symbol.asyncDispose]());

function addAccounts(): readonly { readonly name: string; readonly roleArn: string }[] {
  return Array.from({ length: ACCOUNTS }, (_, index) => {
    const name = `web-${index}`;
    return { name, roleArn: node.addAccount(ATTACKER, name) };
  });
}

/** Each is fetched by a separate call, because it has a stage. */
function objectsOf(objectType: string, region: string) {
  const objects = HELD.map((objectName) => ({
    objectName,
    objectType,
    ...(objectType === 'secretsmanager' && { objectVersionLabel: 'AWSCURRENT' }),
  }));
  return { region, objects: JSON.stringify(objects) };
}

async function mountAs(account: string, parameters: Readonly<Record<string, string>>): Promise<AttackPod> {
  const pod = await node.addPod(ATTACKER, account, account, account);
  await node.mount(pod, putClass(node, ATTACKER, account, parameters, []));
  return pod;
}

function hold(match: RequestMatch): void {
  node.aws.gate.state.inject({ kind: 'hang' }, match);
}

const ATTACKS = [
  { calls: 'STS', service: 'sts', regions: [REGION], places: 12 },
  { calls: 'Secrets Manager', service: 'secretsmanager', regions: [REGION], places: 24 },
  { calls: 'Parameter Store', service: 'ssm', regions: [REGION], places: 6 },
  {
    calls: 'other regions',
    service: 'secretsmanager',
    regions: ['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1'],
    places: 48,
  },
] as const;

it.for(ATTACKS)('a namespace leaves other namespaces calls to $calls, however many accounts it has', async (attack) => {
  const { service, regions, places } = attack;
  await node.seed.parameter('victims', 'own');
  const roles = addAccounts().map(({ roleArn }) => roleArn);
  for (const resource of service === 'sts' ? roles : HELD) {
    hold({ service, resource });
  }
  for (let index = 0; index < ACCOUNTS; index += 1) {
    const type = service === 'ssm' ? 'ssmparameter' : 'secretsmanager';
    void mountAs(`web-${index}`, objectsOf(type, regions[index % regions.length] ?? REGION)).catch(() => undefined);
  }
  await expect.poll(() => node.aws.gate.state.count({ service }), SOON).toBeGreaterThanOrEqual(places);

  await node.victimMount();
  const pod = await node.addPod('victims', 'parameters', 'victim');
  await node.mount(pod, { objects: '[{objectName: victims, objectType: ssmparameter}]' });

  expect(readFileSync(join(pod.targetPath, 'victims'), 'utf8')).toBe('own');
});

it('a namespace leaves other namespaces polls, however many accounts it has', async () => {
  await node.seed.secret('held', 'x');
  const victim = await node.addPod('victims', 'victim-1', 'victim', 'victim');
  const parameters = { objects: '[{objectName: victim, objectType: secretsmanager}]' };
  await node.mount(victim, putClass(node, 'victims', 'victim', parameters, []));
  for (const { name } of addAccounts()) {
    await mountAs(name, { objects: '[{objectName: held, objectType: secretsmanager}]' });
  }
  const before = node.aws.gate.state.count({ resource: 'held' });
  hold({ resource: 'held' });
  await expect.poll(() => node.aws.gate.state.count({ resource: 'held' }) - before, SOON).toBeGreaterThanOrEqual(12);

  for (const value of ['second', 'third']) {
    await node.seed.secretVersion('victim', value);
    await expect.poll(() => readFileSync(join(victim.targetPath, 'victim'), 'utf8'), SOON).toBe(value);
  }
});
