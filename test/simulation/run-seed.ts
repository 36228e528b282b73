import { mkdtempSync, existsSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../fakes/random.ts';
import { createVirtualClock, type VirtualClock } from '../fakes/virtual-clock.ts';
import { type ApiFault, type ApiServerModel, createApiServerModel } from './api-server-model.ts';
import { type AwsFault, type AwsModel, createAwsModel } from './aws-model.ts';
import { type DeploymentModel, startDeployment } from './deployments.ts';
import { createNode, type NodeModel } from './node-model.ts';
import { accountObject, type ClassPlan, classObject, NAMESPACE, parametersOf, roleOf } from './objects.ts';
import { createOracle, type Oracle } from './oracle.ts';

/** How a seed's story went. */
export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly string[];
  /** What happened, line by line. */
  readonly story: readonly string[];
  readonly awsCalls: number;
  readonly apiCalls: number;
}

const MINUTE = 60_000;
const INTERVAL_MS = 2 * MINUTE;
const MIN_RESTART_MS = 5 * MINUTE;
/** Things happen until here; then all must come to rest. */
const EVENTFUL_MS = 40 * MINUTE;
const CALM_MS = 20 * MINUTE;
/** Of the calm, in which calls are counted. */
const COUNTED_MS = 10 * MINUTE;
const CHECK_EVERY_MS = 1_000;

interface World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly aws: AwsModel;
  readonly api: ApiServerModel;
  readonly nodes: readonly NodeModel[];
  readonly deployments: readonly DeploymentModel[];
  readonly classes: Map<string, ClassPlan>;
  /** How often each class was changed. */
  readonly edits: Map<string, number>;
  readonly secrets: readonly string[];
  readonly accounts: readonly string[];
  readonly oracle: Oracle;
  tell(line: string): void;
}

/** One virtual hour of a cluster, all of it drawn from the seed. */
export async function runSeed(seed: number): Promise<SeedReport> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'simulation-'));
  try {
    const { world, story } = createWorld(seed, folder);
    await live(world, EVENTFUL_MS, true);
    mend(world);
    await live(world, CALM_MS - COUNTED_MS, false);
    const before = countsOf(world);
    await live(world, COUNTED_MS, false);
    world.oracle.checkRest();
    return {
      seed,
      story,
      violations: [...world.oracle.violations, ...tooManyCalls(world, before)],
      awsCalls: world.aws.calls.length,
      apiCalls: world.api.calls.length,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function createWorld(seed: number, folder: string): { readonly world: World; readonly story: readonly string[] } {
  const random = createRandom(seed);
  const clock = createVirtualClock();
  const aws = createAwsModel(clock, random);
  const api = createApiServerModel(clock, random);
  const story: string[] = [];
  const classes = new Map<string, ClassPlan>();
  const edits = new Map<string, number>();
  const foreign = new Set(['made-by-hand']);

  function tell(line: string): void {
    story.push(`${(clock.now() / 1_000).toFixed(3)} s: ${line}`);
  }

  const secrets = Array.from({ length: random.int(1, 4) }, (_, index) => `secret-${index}`);
  secrets.forEach((secret) => aws.rotate(secret));
  const accounts = Array.from({ length: random.int(1, 2) }, (_, index) => `account-${index}`);
  for (const account of accounts) {
    api.put(accountObject(account));
    secrets.forEach((secret) => aws.allow(roleOf(account), secret, true));
  }
  api.put({
    kind: 'Secret',
    metadata: { namespace: NAMESPACE, name: 'made-by-hand' },
    data: { user: Buffer.from('somebody').toString('base64') },
  });
  const plans: readonly ClassPlan[] = Array.from({ length: random.int(1, 3) }, (_, index) => ({
    name: `class-${index}`,
    secrets: secrets.filter((_secret, at) => at === index % secrets.length || random.next() < 0.5),
    ...(random.next() < 0.6 && { secretName: random.next() < 0.1 ? 'made-by-hand' : `synced-${index}` }),
  }));
  for (const plan of plans) {
    classes.set(plan.name, plan);
    api.put(classObject(plan));
  }
  let oracle: Oracle | undefined;
  const republishes = random.next() < 0.5;
  const nodes = Array.from({ length: random.int(1, 4) }, (_, index) =>
    createNode(`node-${index}`, {
      world: clock,
      random,
      aws,
      api,
      folder,
      republishes,
      tell,
      flags: ['--rotation-poll-interval=2m', '--restart-min-interval=5m', '--token-request'],
      parametersOf: (name) => parametersOf(classes.get(name) ?? { name, secrets: [] }),
      onWrite: (node, object) => oracle?.checkWrite(node, object),
    }),
  );
  nodes.forEach((node) => node.start());
  const deployments = plans.map(({ name }, index) =>
    startDeployment(
      {
        name: `web-${index}`,
        className: name,
        account: accounts[index % accounts.length] ?? '',
        replicas: random.int(1, 3),
        restarts: random.next() < 0.5,
      },
      { world: clock, random, api, nodes, tell },
    ),
  );
  oracle = createOracle({
    world: clock,
    aws,
    api,
    nodes,
    deployments,
    classes,
    edits,
    foreign,
    intervalMs: INTERVAL_MS,
    minRestartMs: MIN_RESTART_MS,
  });
  return {
    world: { clock, random, aws, api, nodes, deployments, classes, edits, secrets, accounts, oracle, tell },
    story,
  };
}

/** Lets so much time go by, with things that happen in it or without. */
async function live(world: World, ms: number, isEventful: boolean): Promise<void> {
  const { clock, random, oracle } = world;
  const end = clock.now() + ms;
  let nextEventAt = clock.now() + random.int(1_000, 90_000);
  while (clock.now() < end) {
    await clock.advance(Math.min(CHECK_EVERY_MS, end - clock.now()));
    oracle.checkVolumes();
    if (isEventful && clock.now() >= nextEventAt) {
      happen(world);
      nextEventAt = clock.now() + random.int(1_000, 180_000);
    }
  }
}

/** One thing that befalls a cluster. */
function happen(world: World): void {
  const { random, aws, api, nodes, secrets, accounts, classes, deployments, clock, tell } = world;
  const node = random.pick(nodes);
  const secret = random.pick(secrets);
  const role = roleOf(random.pick(accounts));
  const plan = random.pick([...classes.values()]);
  const events: readonly (() => void)[] = [
    () => tell(`${secret} is rotated: version ${aws.rotate(secret)}`),
    () => tell(`${secret} is rotated: version ${aws.rotate(secret)}`),
    () => {
      const fault = random.pick<AwsFault>(['down', 'throttles', 'silent']);
      tell(`AWS is ${fault}`);
      aws.fault = fault;
      void later(clock, random.int(5_000, 300_000), () => {
        tell('AWS is well again');
        aws.fault = undefined;
      });
    },
    () => {
      const fault = random.pick<ApiFault>(['refuses', 'hangs', 'loses answers']);
      tell(`the API server ${fault}`);
      api.fault = fault;
      void later(clock, random.int(5_000, 180_000), () => {
        tell('the API server is well again');
        api.fault = undefined;
      });
    },
    () => {
      tell(`the provider of ${node.name} is killed`);
      node.kill();
      void later(clock, random.int(1_000, 120_000), () => {
        tell(`the provider of ${node.name} starts`);
        // Killed twice before it came back, it comes back once.
        node.kill();
        node.start();
      });
    },
    () => {
      tell(`${role} may no longer read ${secret}`);
      aws.allow(role, secret, false);
      void later(clock, random.int(10_000, 600_000), () => {
        tell(`${role} may read ${secret} again`);
        aws.allow(role, secret, true);
      });
    },
    () => {
      const rest = plan.secrets.filter((name) => name !== secret);
      const next = { ...plan, secrets: plan.secrets.includes(secret) && rest.length > 0 ? rest : [...rest, secret] };
      tell(`${plan.name} mounts ${next.secrets.join(', ')}`);
      classes.set(plan.name, next);
      api.put(classObject(next));
      world.edits.set(plan.name, (world.edits.get(plan.name) ?? 0) + 1);
    },
    () => random.pick(deployments).replacePod(),
    () => {
      if (plan.secretName?.startsWith('synced-') === true) {
        tell(`somebody deletes the Secret ${plan.secretName}`);
        api.remove(`/api/v1/namespaces/${NAMESPACE}/secrets/${plan.secretName}`);
      }
    },
    () => {
      node.skewMs = random.int(-30_000, 30_000);
      tell(`the clock of ${node.name} is ${node.skewMs} ms ahead`);
    },
  ];
  random.pick(events)();
}

async function later(clock: VirtualClock, ms: number, then: () => void): Promise<void> {
  await clock.sleep(ms);
  then();
}

/** From here on nothing goes wrong. */
function mend({ aws, api, nodes, accounts, secrets, tell }: World): void {
  tell('all is well');
  aws.fault = undefined;
  api.fault = undefined;
  for (const account of accounts) {
    secrets.forEach((secret) => aws.allow(roleOf(account), secret, true));
  }
  for (const node of nodes) {
    node.kill();
    node.start();
  }
}

interface Counts {
  readonly aws: number;
  readonly api: number;
}

function countsOf({ aws, api }: World): Counts {
  return { aws: aws.calls.length, api: api.calls.length };
}

/** What the architecture page promises: a poll an interval for each identity of a node, and few questions to the API server. */
function tooManyCalls({ aws, api, nodes, accounts, deployments, secrets }: World, before: Counts): readonly string[] {
  const polls = COUNTED_MS / (INTERVAL_MS * 0.8) + 2;
  const mounts = nodes.reduce((sum, { pods }) => sum + pods.size, 0);
  // A class of one secret is asked for by itself, more by a batch; and a role and its session are renewed now and then.
  const mostAws =
    nodes.length * accounts.length * polls * Math.min(2, secrets.length) + nodes.length * accounts.length * 2;
  const mostApi = nodes.length * polls * 8 + mounts * polls * 8 + deployments.length * 20;
  const made = { aws: aws.calls.length - before.aws, api: api.calls.length - before.api };
  return [
    ...(made.aws > mostAws ? [`at rest AWS was called ${made.aws} times in ten minutes, more than ${mostAws}`] : []),
    ...(made.api > mostApi
      ? [`at rest the API server was called ${made.api} times in ten minutes, more than ${mostApi}`]
      : []),
  ];
}
