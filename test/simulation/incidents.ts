import type { ApiFault } from './api-server-model.ts';
import type { AwsFault } from './aws-model.ts';
import type { NodeModel } from './node-model.ts';
import { classObject, NAMESPACE, roleOf } from './objects.ts';
import type { Surroundings } from './surroundings.ts';
import type { World } from './world.ts';

const HOUR_MS = 3_600_000;
/** Longest time until a node receives a change event. */
const EVENT_MS = 2_000;
/** Longest time from a change event to the answer of AWS. */
const POLL_MS = 120;

/** All that befalls clusters; what happens more often is listed more often. */
const INCIDENTS: readonly ((world: World) => void)[] = [
  rotateSecret,
  rotateSecret,
  rotateAll,
  awsFails,
  apiServerFails,
  providerIsKilled,
  roleIsDenied,
  classIsEdited,
  ({ random, deployments }) => random.pick(deployments).replacePod(),
  podEndsDuringPoll,
  secretIsDeleted,
  clockDrifts,
  clockJumps,
];

/** One thing that befalls a cluster. */
export function happen(world: World): void {
  world.random.pick(INCIDENTS)(world);
}

/** From here on nothing goes wrong. All providers start at the same time, as after an upgrade. */
export function mend({ aws, api, clock, nodes, accounts, secrets, tell }: World): void {
  tell('all is well');
  aws.fault = undefined;
  api.fault = undefined;
  for (const account of accounts) {
    secrets.forEach((secret) => aws.allow(roleOf(account), secret, true));
  }
  for (const node of nodes) {
    node.kill();
    node.start();
    setRight(node, clock.now());
  }
}

async function later({ clock }: Surroundings, ms: number, then: () => void): Promise<void> {
  await clock.sleep(ms);
  then();
}

function rotateSecret(world: World): void {
  const { random, aws, nodes, secrets, tell } = world;
  const secret = random.pick(secrets);
  tell(`${secret} is rotated: version ${aws.rotate(secret)}`);
  if (random.next() < 0.5) {
    nodes.forEach((node) => void later(world, random.int(0, EVENT_MS), () => node.announce(secret)));
  }
}

/** As somebody does whose secrets belong together. */
function rotateAll({ aws, secrets, tell }: World): void {
  aws.rotateTogether(secrets);
  tell(`all secrets are rotated: ${secrets.map((secret) => `${secret} ${aws.currentOf(secret)}`).join(', ')}`);
}

function awsFails(world: World): void {
  const { random, aws, tell } = world;
  const fault = random.pick<AwsFault>(['down', 'throttles', 'silent']);
  tell(`AWS is ${fault}`);
  aws.fault = fault;
  void later(world, random.int(5_000, 300_000), () => {
    tell('AWS is well again');
    aws.fault = undefined;
  });
}

function apiServerFails(world: World): void {
  const { random, api, tell } = world;
  const fault = random.pick<ApiFault>(['refuses', 'hangs', 'loses answers']);
  tell(`the API server ${fault}`);
  api.fault = fault;
  void later(world, random.int(5_000, 180_000), () => {
    tell('the API server is well again');
    api.fault = undefined;
  });
}

function providerIsKilled(world: World): void {
  const { random, nodes, tell } = world;
  const node = random.pick(nodes);
  tell(`the provider of ${node.name} is killed`);
  node.kill();
  void later(world, random.int(1_000, 120_000), () => {
    tell(`the provider of ${node.name} starts`);
    // Killed twice before it came back, it comes back once.
    node.kill();
    node.start();
  });
}

function roleIsDenied(world: World): void {
  const { random, aws, secrets, accounts, tell } = world;
  const [role, secret] = [roleOf(random.pick(accounts)), random.pick(secrets)];
  tell(`${role} may no longer read ${secret}`);
  aws.allow(role, secret, false);
  void later(world, random.int(10_000, 600_000), () => {
    tell(`${role} may read ${secret} again`);
    aws.allow(role, secret, true);
  });
}

function classIsEdited({ random, api, classes, editedAt, secrets, clock, tell }: World): void {
  const plan = random.pick([...classes.values()]);
  const secret = random.pick(secrets);
  const rest = plan.secrets.filter((name) => name !== secret);
  const next = { ...plan, secrets: plan.secrets.includes(secret) && rest.length > 0 ? rest : [...rest, secret] };
  tell(`${plan.name} mounts ${next.secrets.join(', ')}`);
  classes.set(plan.name, next);
  api.put(classObject(next));
  editedAt.set(plan.name, [...(editedAt.get(plan.name) ?? []), clock.now()]);
}

/** Its volume is emptied right after a change event, while the new values are read. */
function podEndsDuringPoll({ random, aws, clock, nodes, deployments, secrets, tell }: World): void {
  random.pick(deployments).replacePod(async () => {
    secrets.forEach((secret) => aws.rotate(secret));
    tell('all secrets are rotated while a pod ends');
    nodes.forEach((node) => secrets.forEach(node.announce));
    await clock.sleep(random.int(POLL_MS / 10, POLL_MS));
  });
}

function secretIsDeleted({ random, api, classes, foreign, tell }: World): void {
  const { secretName } = random.pick([...classes.values()]);
  if (secretName !== undefined && !foreign.has(secretName)) {
    tell(`somebody deletes the Secret ${secretName}`);
    api.remove(`/api/v1/namespaces/${NAMESPACE}/secrets/${secretName}`);
  }
}

function clockDrifts({ random, clock, nodes, tell }: World): void {
  const node = random.pick(nodes);
  setRight(node, clock.now());
  node.skewMs = random.int(-30_000, 30_000);
  tell(`the clock of ${node.name} is ${node.skewMs} ms ahead`);
}

/** By hours, and back after some minutes. */
function clockJumps(world: World): void {
  const { random, clock, nodes, traits, tell } = world;
  const node = random.pick(nodes);
  if (!traits.clocksJump) {
    return;
  }
  node.wrongUntil = Number.POSITIVE_INFINITY;
  node.skewMs = random.pick([-3, -1, 1, 3]) * HOUR_MS;
  tell(`the clock of ${node.name} jumps by ${node.skewMs / HOUR_MS} hours`);
  void later(world, random.int(10_000, 600_000), () => {
    tell(`the clock of ${node.name} is set right`);
    setRight(node, clock.now());
  });
}

function setRight(node: NodeModel, now: number): void {
  if (node.wrongUntil === Number.POSITIVE_INFINITY) {
    node.wrongUntil = now;
    node.skewMs = 0;
  }
}
