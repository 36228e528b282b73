import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom, type Random } from '../fakes/random.ts';
import { createVirtualClock } from '../fakes/virtual-clock.ts';
import { createApiServerModel } from './api-server-model.ts';
import { createAwsModel } from './aws-model.ts';
import { createNode } from './node-model.ts';
import { accountObject, type ClassPlan, classObject, parametersOf, replicaSetObject, roleOf } from './objects.ts';

const NODES = 5_000;
/** Nodes that are simulated, each with its own name and start. All others are like them, a little later. */
const SIMULATED = 10;
const ACCOUNTS = 10;
const PODS_PER_ACCOUNT = 11;
/** Mounted by every pod, beside two secrets of its service account. */
const SHARED = 'shared';

const SECOND = 1_000;
const INTERVAL_MS = 120 * SECOND;
const APART_MS = INTERVAL_MS / SIMULATED;
/** By then all nodes have started and are at rest. */
const REST_AT_MS = 4 * INTERVAL_MS;
const ROTATED_AT_MS = 6 * INTERVAL_MS;
const END_MS = 8 * INTERVAL_MS;

/** Calls a second of an account and region, as AWS publishes them. */
const QUOTAS: Readonly<Record<string, string>> = {
  BatchGetSecretValue: '100; what is over it is throttled, and read by GetSecretValue',
  GetSecretValue: '10,000',
  AssumeRoleWithWebIdentity: '600 (often quoted, not published)',
};

interface Call {
  readonly at: number;
  /** Action of AWS, or verb and resource of the API server. */
  readonly what: string;
}

/** Simulates one node with 110 pods. */
async function simulateNode(index: number, folder: string): Promise<readonly Call[]> {
  const clock = createVirtualClock();
  const random = createRandom(index);
  const [aws, api] = [createAwsModel(clock, random), createApiServerModel(clock, random)];
  const classes = new Map<string, ClassPlan>();
  const plans = Array.from({ length: ACCOUNTS }, (_, at) => {
    const name = `app-${at}`;
    const secrets = [SHARED, `${name}-database`, `${name}-api`];
    classes.set(name, { name, secrets });
    secrets.forEach((secret) => {
      if (aws.currentOf(secret) === 0) {
        aws.rotate(secret);
      }
      aws.allow(roleOf(name), secret, true);
    });
    return { name, account: name, className: name, replicas: 1, restarts: false, isTrusted: true };
  });
  const node = createNode(`node-${index}`, {
    clock,
    random,
    aws,
    api,
    folder,
    driver: '1.6',
    flags: ['--rotation-poll-interval=2m', '--sync-secret=false', '--restart-on-rotation=false'],
    parametersOf: (name) => parametersOf(classes.get(name) ?? { name, secrets: [] }),
    onWrite: () => undefined,
    tell: () => undefined,
  });
  await clock.advance(index * APART_MS);
  node.start();
  for (const plan of plans) {
    api.put(accountObject(plan.account));
    api.put(classObject(classes.get(plan.name) ?? { name: plan.name, secrets: [] }));
    api.put(replicaSetObject(plan, 1));
    for (let pod = 0; pod < PODS_PER_ACCOUNT; pod += 1) {
      node.runPod(plan, 1, `${plan.name}-1-${pod}`);
    }
  }
  await clock.advance(ROTATED_AT_MS - clock.now());
  aws.rotate(SHARED);
  await clock.advance(END_MS - ROTATED_AT_MS);
  node.kill();
  return [
    ...aws.calls.map(({ at, action }) => ({ at, what: action })),
    ...api.calls.map(({ at, verb, resource }) => ({ at, what: `API server: ${verb} ${resource}` })),
  ];
}

/** Calls of the whole fleet in each second, by what they ask. */
function sumUp(samples: readonly (readonly Call[])[], random: Random): ReadonlyMap<string, readonly number[]> {
  const sums = new Map<string, number[]>();
  for (let node = 0; node < NODES; node += 1) {
    const laterMs = random.next() * APART_MS;
    for (const { at, what } of samples[node % SIMULATED] ?? []) {
      const seconds = sums.get(what) ?? Array.from({ length: END_MS / SECOND + 1 }, () => 0);
      sums.set(what, seconds);
      const second = Math.floor((at + laterMs) / SECOND);
      seconds[second] = (seconds[second] ?? 0) + 1;
    }
  }
  return sums;
}

function printPhase(name: string, sums: ReadonlyMap<string, readonly number[]>, from: number, to: number): void {
  console.log(`\n${name}`);
  for (const [what, seconds] of [...sums].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    const some = seconds.slice(from / SECOND, to / SECOND);
    const mean = some.reduce((sum, calls) => sum + calls, 0) / some.length;
    if (mean > 0) {
      const quota = QUOTAS[what] === undefined ? '' : `  quota ${QUOTAS[what]}`;
      const figures = [mean, Math.max(...some)].map((calls) => calls.toFixed(0).padStart(7));
      console.log(`  ${what.padEnd(52)}${figures.join('')}${quota}`);
    }
  }
}

/** Prints what 5,000 nodes with 110 pods each ask of AWS and of the API server. */
export async function simulateFleet(): Promise<void> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fleet-'));
  try {
    const samples: (readonly Call[])[] = [];
    for (let index = 0; index < SIMULATED; index += 1) {
      samples.push(await simulateNode(index, folder));
    }
    const sums = sumUp(samples, createRandom(1));
    console.log(
      `${NODES} nodes with ${ACCOUNTS * PODS_PER_ACCOUNT} pods of ${ACCOUNTS} service accounts each; every pod mounts a secret that all share, and two of its service account; interval 2 min.`,
    );
    console.log(
      `${SIMULATED} nodes were simulated exactly, with starts spread over an interval; the others repeat them, up to ${APART_MS / SECOND} s later. No model of AWS throttles them.`,
    );
    console.log('Calls a second: mean, most.');
    printPhase('At rest', sums, REST_AT_MS, ROTATED_AT_MS);
    printPhase('In the interval after the shared secret was rotated', sums, ROTATED_AT_MS, ROTATED_AT_MS + INTERVAL_MS);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
