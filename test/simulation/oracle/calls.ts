import type { AwsCall } from '../aws-model.ts';
import { roleOf } from '../objects.ts';
import { INTERVAL_MS, STRANGER, type World } from '../world.ts';
import type { Findings } from './findings.ts';

export interface CallCheck {
  /** Starts to count. */
  begin(): void;
  /** Nothing has happened: calls are within what the architecture page promises, and nothing is written. */
  checkRest(): void;
  /** One change event after another came: a poll in five seconds is enough. */
  checkFlood(): void;
  /** All providers started at the same moment: their first polls must not come at one moment. */
  checkStart(): void;
  /** All nodes met the same trouble at the same moment: they must not try again in step. */
  checkSpread(what: string): void;
}

/** A poll comes up to a fifth of the interval early. */
const SHORTEST_INTERVAL_MS = INTERVAL_MS * 0.8;
const EVENT_POLL_EVERY_MS = 5_000;
/** Calls that are nearer to each other than this reach AWS at the same moment. The models' latencies differ by as much. */
const SAME_MOMENT_MS = 150;
/** Of a node for the API server: a list of pods a minute, and for each mount some reads an interval. */
const READS_PER_MOUNT = 8;
const MINUTE = 60_000;

const STORE_ACTIONS = ['BatchGetSecretValue', 'GetSecretValue', 'GetParameters'];

export function createCallCheck(world: World, { violated }: Findings): CallCheck {
  const { aws, api, nodes, accounts, clock } = world;
  let begun = { at: 0, aws: 0, api: 0 };

  /** Calls to stores by node and role. */
  function polls(): ReadonlyMap<string, readonly AwsCall[]> {
    const calls = aws.calls.slice(begun.aws).filter(({ action }) => STORE_ACTIONS.includes(action));
    return Map.groupBy(calls, ({ node, role }) => `${node} as ${role}`);
  }

  /** @param least nodes that made fewer calls do not count */
  function pollsByRole(least: number) {
    const often = [...polls()].filter(([, calls]) => calls.length >= least);
    return Map.groupBy(often, ([who]) => who.split(' as ')[1]);
  }

  function runsAs(who: string): boolean {
    return nodes.some(({ name, pods }) => [...pods].some(({ plan }) => who === `${name} as ${roleOf(plan.account)}`));
  }

  function checkAtMost(what: string, count: number, most: number): void {
    if (count > most) {
      violated(`${what}: ${count}, more than ${most}`);
    }
  }

  return {
    begin() {
      begun = { at: clock.now(), aws: aws.calls.length, api: api.calls.length };
    },
    checkRest() {
      const ms = clock.now() - begun.at;
      const mostPolls = Math.ceil(ms / SHORTEST_INTERVAL_MS) + 1;
      for (const [who, calls] of polls()) {
        if (who.endsWith(roleOf(STRANGER))) {
          // Each attempt of the driver to mount is refused by AWS.
          continue;
        }
        if (!runsAs(who)) {
          violated(`at rest polls by ${who}, though no pod needs them`);
        }
        checkAtMost(`at rest polls by ${who}`, mostAsked(calls), mostPolls);
        // One call for all secrets and one for all parameters; without the permission for batches one for each secret.
        const singles = aws.deniesBatches ? world.secrets.length : 2;
        checkAtMost(
          `at rest calls to AWS by ${who}`,
          calls.length,
          mostPolls * Math.min(singles, world.secrets.length),
        );
      }
      const sessions = aws.calls.slice(begun.aws).filter(({ action }) => action === 'AssumeRoleWithWebIdentity');
      checkAtMost('at rest sessions', sessions.length, nodes.length * (accounts.length + 1));
      const calls = api.calls.slice(begun.api);
      for (const { name, pods } of nodes) {
        const own = calls.filter(({ node }) => node === name);
        const most = (ms / MINUTE + 1) * (1 + accounts.length) + pods.size * mostPolls * READS_PER_MOUNT;
        checkAtMost(`at rest requests of ${name} to the API server`, own.length, most);
      }
      const writes = calls.filter(({ verb, resource }) => verb !== 'get' && verb !== 'list' && resource !== 'events');
      for (const { node, verb, resource } of writes) {
        violated(`at rest ${node} asked the API server to ${verb} ${resource}`);
      }
    },
    checkFlood() {
      const most = Math.ceil((clock.now() - begun.at) / EVENT_POLL_EVERY_MS) + 1;
      for (const [who, calls] of polls()) {
        checkAtMost(`polls by ${who} for a flood of change events`, mostAsked(calls), most);
      }
    },
    checkStart() {
      for (const [role, some] of pollsByRole(1)) {
        const firsts = some.map(([, [first]]) => first?.at ?? 0);
        if (some.length >= 3 && Math.max(...firsts) - Math.min(...firsts) < SAME_MOMENT_MS) {
          violated(`${some.length} nodes poll at the same moment after a start, for ${role}`);
        }
      }
    },
    checkSpread(what) {
      for (const [role, some] of pollsByRole(4)) {
        const pairs = some.flatMap((one, index) => some.slice(index + 1).map((other) => [one, other] as const));
        // The first calls may have one cause that is not theirs. The jitter of two nodes of many may be nearly the same.
        const inStep = pairs.filter(([[, calls], [, others]]) =>
          calls.slice(1).every(({ at }) => others.some((call) => Math.abs(call.at - at) < SAME_MOMENT_MS)),
        );
        if (some.length >= 3 && inStep.length * 2 > pairs.length) {
          violated(`${some.map(([who]) => who).join(' and ')} ${what} in step, for ${role}`);
        }
      }
    },
  };
}

/** How often one of the objects was asked for at most. */
function mostAsked(calls: readonly AwsCall[]): number {
  const names = calls.flatMap((call) => call.names);
  return Math.max(0, ...Array.from(Map.groupBy(names, (name) => name).values(), ({ length }) => length));
}
