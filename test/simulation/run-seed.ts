import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { happen, mend } from './incidents.ts';
import { createOracle, type Oracle } from './oracle/oracle.ts';
import { createWorld, INTERVAL_MS, type World } from './world.ts';

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
/** Things happen until here; then all must come to rest. */
const EVENTFUL_MS = 40 * MINUTE;
const REST_MS = 10 * MINUTE;
const CHECK_EVERY_MS = 2_000;
const OUTAGE_MS = 100_000;
/** No divisor of the pause between two polls: an event at the moment of a poll causes another one. */
const EVENT_EVERY_MS = 510;
const EVENTS_IN_FLOOD = 40;

/** One virtual hour of a cluster, all of it drawn from the seed. */
export async function runSeed(seed: number): Promise<SeedReport> {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'simulation-'));
  const { random } = Math;
  try {
    let oracle: Oracle | undefined;
    const { world, story } = createWorld(seed, folder, (node, object) => oracle?.checkWrite(node, object));
    // Waits of the provider have jitter.
    Math.random = world.random.next;
    oracle = createOracle(world);
    await liveEventfully(world, oracle);
    mend(world);
    await comeToRest(world, oracle);
    return {
      seed,
      story,
      violations: oracle.violations,
      awsCalls: world.aws.calls.length,
      apiCalls: world.api.calls.length,
    };
  } finally {
    Math.random = random;
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lets so much time go by. @returns how many timers waited at most */
async function pass({ clock }: World, oracle: Oracle, ms: number): Promise<number> {
  const end = clock.now() + ms;
  let timers = 0;
  while (clock.now() < end) {
    await clock.advance(Math.min(CHECK_EVERY_MS, end - clock.now()));
    oracle.check();
    timers = Math.max(timers, clock.waiting);
  }
  return timers;
}

async function liveEventfully(world: World, oracle: Oracle): Promise<void> {
  const { clock, random } = world;
  while (clock.now() < EVENTFUL_MS) {
    await pass(world, oracle, Math.min(random.int(1, 180) * 1_000, EVENTFUL_MS - clock.now()));
    happen(world);
  }
}

/** Two intervals are enough to come to rest. Then all nodes meet one outage, and one flood of change events, at the same moment. */
async function comeToRest(world: World, oracle: Oracle): Promise<void> {
  const { aws, nodes, secrets, tell } = world;
  const { calls } = oracle;

  function announceAll(): void {
    nodes.forEach((node) => secrets.forEach(node.announce));
  }

  calls.begin();
  await pass(world, oracle, 2 * INTERVAL_MS);
  calls.checkStart();
  tell('AWS is down, and change events make all nodes notice');
  calls.begin();
  aws.fault = 'down';
  announceAll();
  await pass(world, oracle, OUTAGE_MS);
  calls.checkSpread('try again');
  aws.fault = undefined;
  await pass(world, oracle, 2 * INTERVAL_MS);
  tell('change events come by the dozen');
  calls.begin();
  for (let sent = 0; sent < EVENTS_IN_FLOOD; sent += 1) {
    announceAll();
    await pass(world, oracle, EVENT_EVERY_MS);
  }
  calls.checkFlood();
  tell('nothing more happens');
  await pass(world, oracle, MINUTE);
  calls.begin();
  const timers = [await pass(world, oracle, REST_MS / 2), await pass(world, oracle, REST_MS / 2)];
  calls.checkSpread('poll');
  oracle.checkRest(timers);
}
