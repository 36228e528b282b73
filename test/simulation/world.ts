import type { KubeObject } from '../fakes/kube/kube-object.ts';
import { createRandom, type Random } from '../fakes/random.ts';
import { createVirtualClock } from '../fakes/virtual-clock.ts';
import { createApiServerModel } from './api-server-model.ts';
import { createAwsModel } from './aws-model.ts';
import { type DeploymentModel, startDeployment } from './deployments.ts';
import type { DriverKind } from './driver-model.ts';
import { createNode, type NodeModel } from './node-model.ts';
import {
  accountObject,
  type ClassPlan,
  classObject,
  NAMESPACE,
  parametersOf,
  roleOf,
  type WorkloadPlan,
} from './objects.ts';
import type { Surroundings } from './surroundings.ts';

/** A simulated cluster. */
export interface World extends Surroundings {
  readonly traits: Traits;
  readonly nodes: readonly NodeModel[];
  readonly deployments: readonly DeploymentModel[];
  /** By name, as they are now. */
  readonly classes: Map<string, ClassPlan>;
  /** When each class was changed. */
  readonly editedAt: Map<string, readonly number[]>;
  /** Names in AWS. */
  readonly secrets: readonly string[];
  readonly accounts: readonly string[];
  /** Names of Kubernetes Secrets that this provider did not make. */
  readonly foreign: ReadonlySet<string>;
}

/** In what clusters differ. */
interface Traits {
  readonly nodes: number;
  readonly driver: DriverKind;
  /** The driver writes the files. */
  readonly driverWrites: boolean;
  /** Clocks of nodes may be wrong by hours, and are set right again. */
  readonly clocksJump: boolean;
  /** Roles lack the permission for batch calls. */
  readonly awsDeniesBatches: boolean;
  /** Some nodes are shown a new version later than others. */
  readonly awsPropagates: boolean;
}

const MINUTE = 60_000;
export const INTERVAL_MS = 2 * MINUTE;
export const MIN_RESTART_MS = 5 * MINUTE;
const FLAGS = ['--rotation-poll-interval=2m', '--restart-min-interval=5m', '--token-request'];
const PROPAGATION_MS = 3_000;
const FOREIGN = 'made-by-hand';
/** Mounts what its role may not read. */
export const STRANGER = 'stranger';

/** @param onWrite is told of each object that a provider has written */
export function createWorld(
  seed: number,
  folder: string,
  onWrite: (node: string, object: KubeObject) => void,
): { readonly world: World; readonly story: readonly string[] } {
  const random = createRandom(seed);
  const clock = createVirtualClock();
  const story: string[] = [];
  const surroundings: Surroundings = {
    clock,
    random,
    aws: createAwsModel(clock, random),
    api: createApiServerModel(clock, random),
    tell: (line) => story.push(`${(clock.now() / 1_000).toFixed(3)} s: ${line}`),
  };
  const traits = drawTraits(surroundings);
  const { secrets, accounts } = createAccount(surroundings);
  const plans = drawClasses(secrets, random);
  const classes = new Map(plans.map((plan) => [plan.name, plan]));
  createObjects(plans, accounts, surroundings);
  const nodes = Array.from({ length: traits.nodes }, (_, index) =>
    createNode(`node-${index}`, {
      ...surroundings,
      folder,
      driver: traits.driver,
      flags: [...FLAGS, `--driver-writes-secrets=${traits.driverWrites}`],
      parametersOf: (name) => parametersOf(classes.get(name) ?? { name, secrets: [] }),
      onWrite,
    }),
  );
  nodes.forEach((node) => node.start());
  const deployments = drawWorkloads(plans, accounts, random).map((plan) =>
    startDeployment(plan, { ...surroundings, nodes }),
  );
  const foreign = new Set([FOREIGN]);
  return {
    world: { ...surroundings, traits, nodes, deployments, classes, editedAt: new Map(), secrets, accounts, foreign },
    story,
  };
}

function drawTraits({ random, aws, tell }: Surroundings): Traits {
  const driver = random.pick<DriverKind>(['without rotation', '1.6', '1.5']);
  const traits = {
    nodes: random.next() < 0.85 ? random.int(1, 4) : random.int(5, 8),
    driver,
    driverWrites: driver !== 'without rotation' && random.next() < 0.2,
    clocksJump: random.next() < 0.25,
    awsDeniesBatches: random.next() < 0.3,
    awsPropagates: random.next() < 0.3,
  };
  aws.deniesBatches = traits.awsDeniesBatches;
  aws.propagationMs = traits.awsPropagates ? PROPAGATION_MS : 0;
  const told = Object.entries(traits).map(([name, value]) => `${name}: ${value}`);
  tell(told.join(', '));
  return traits;
}

/** Secrets and parameters, and service accounts that may read them. */
function createAccount({ aws, random }: Surroundings): Pick<World, 'secrets' | 'accounts'> {
  const secrets = Array.from({ length: random.int(1, 4) }, (_, index) => `secret-${index}`);
  if (random.next() < 0.4) {
    secrets.push(...Array.from({ length: random.int(1, 2) }, (_, index) => `parameter-${index}`));
  }
  secrets.forEach((secret) => aws.rotate(secret));
  const accounts = Array.from({ length: random.int(1, 2) }, (_, index) => `account-${index}`);
  for (const account of accounts) {
    secrets.forEach((secret) => aws.allow(roleOf(account), secret, true));
  }
  return { secrets, accounts };
}

function drawClasses(secrets: readonly string[], random: Random): readonly ClassPlan[] {
  return Array.from({ length: random.int(1, 3) }, (_, index) => ({
    name: `class-${index}`,
    secrets: secrets.filter((_secret, at) => at === index % secrets.length || random.next() < 0.5),
    ...(random.next() < 0.6 && { secretName: random.next() < 0.1 ? FOREIGN : `synced-${index}` }),
  }));
}

function createObjects(plans: readonly ClassPlan[], accounts: readonly string[], { api }: Surroundings): void {
  [...accounts, STRANGER].forEach((account) => api.put(accountObject(account)));
  api.put({
    kind: 'Secret',
    metadata: { namespace: NAMESPACE, name: FOREIGN },
    data: { user: Buffer.from('somebody').toString('base64') },
  });
  plans.forEach((plan) => api.put(classObject(plan)));
}

function drawWorkloads(
  plans: readonly ClassPlan[],
  accounts: readonly string[],
  random: Random,
): readonly WorkloadPlan[] {
  const workloads = plans.map(({ name }, index) => ({
    name: `web-${index}`,
    className: name,
    account: accounts[index % accounts.length] ?? '',
    replicas: random.int(1, 3),
    restarts: random.next() < 0.5,
    isTrusted: true,
  }));
  const stranger = { name: STRANGER, className: 'class-0', account: STRANGER, replicas: 1, restarts: false };
  return random.next() < 0.3 ? [...workloads, { ...stranger, isTrusted: false }] : workloads;
}
