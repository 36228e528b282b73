import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clockAt } from '../../test/fakes/virtual-clock.ts';
import { mountOf } from '../../test/fakes/kube/mounts.ts';
import { createStoredWorkload } from '../../test/fakes/kube/stored-workload.ts';
import { readMountedVersions } from './mounted-versions.ts';
import { createRestarts } from './rolling-restart.ts';
import { hashOf } from './versions-hash.ts';
import type { WorkloadApi } from './workload-api.ts';

const VOLUMES = ['secrets', 'more'] as const;
const NODES = 4;
const MIN_INTERVAL_MS = 300;
/** What happens: a value is rotated in AWS, a node polls AWS and acts upon the response, one call or all calls get their response, time passes. */
const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rotate' as const), volume: fc.constantFrom(...VOLUMES) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      node: fc.nat(NODES - 1),
      volume: fc.constantFrom(...VOLUMES),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('answer' as const, 'finish' as const) }) },
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(MIN_INTERVAL_MS) }),
);

type Steps = readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[];

/** Nodes that do not know each other, one workload, and AWS, whose versions are increasing numbers. */
async function run(steps: Steps, scheduler: fc.Scheduler) {
  const store = createStoredWorkload();
  const signal = new AbortController().signal;
  const current = new Map<string, number>(VOLUMES.map((volume) => [volume, 1]));
  /** The workload's annotations after each write. */
  const history: {
    readonly noted: ReadonlyMap<string, string>;
    readonly rolls: number;
    readonly restartedAt: number;
  }[] = [];
  let now = 1_000_000;
  const workloads: WorkloadApi = {
    workloadOf: (...args) => scheduler.schedule(Promise.resolve()).then(() => store.api.workloadOf(...args)),
    async patch(...args) {
      await scheduler.schedule(Promise.resolve());
      const outcome = await store.api.patch(...args);
      const mounted = readMountedVersions(store.annotation('aws-secrets-csi/mounted-versions'));
      history.push({
        noted: new Map([...mounted].map(([volume, { hash }]) => [volume, hash])),
        rolls: store.rolls.length,
        restartedAt: Date.parse(store.annotation('aws-secrets-csi/restarted-at') ?? ''),
      });
      return outcome;
    },
  };
  const nodes = Array.from({ length: NODES }, () =>
    createRestarts({
      workloads,
      minIntervalMs: MIN_INTERVAL_MS,
      clock: clockAt(() => now),
      recordEvent: () => Promise.resolve(),
    }),
  );
  const underWay: Promise<unknown>[] = [];

  function ask(node: number, volume: string): void {
    const mount = mountOf({ pod: 'web-1-a', volume, files: { file: String(current.get(volume)) }, confirmedAt: now });
    underWay.push(nodes[node]!.update(mount, signal));
  }

  async function finish(): Promise<void> {
    await scheduler.waitFor(Promise.all(underWay.splice(0)));
  }

  for (const next of steps) {
    now += 1;
    if (next.kind === 'rotate') {
      current.set(next.volume, (current.get(next.volume) ?? 0) + 1);
    } else if (next.kind === 'ask') {
      ask(next.node, next.volume);
    } else if (next.kind === 'wait') {
      now += next.ms;
    } else if (next.kind === 'finish') {
      await finish();
    } else if (scheduler.count() > 0) {
      await scheduler.waitOne();
    }
  }
  await finish();
  // Every node continues to poll, long enough that nothing is delayed any more.
  for (const volume of [...VOLUMES, ...VOLUMES]) {
    now += 200_000;
    for (let node = 0; node < NODES; node += 1) {
      ask(node, volume);
    }
    await finish();
  }
  return { current, history, rolls: store.rolls.length };
}

/** Number of the version of which this is the hash. */
function numberOf(hash: string | undefined): number {
  return Array.from({ length: 100 }, (_, number) => hashOf([['file', String(number)]])).indexOf(hash ?? '');
}

describe('restarts of several nodes, whatever comes first', () => {
  it(
    'happen once per version, never lead back to an older one, and end at the newest',
    { timeout: 60_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
          fc.scheduler(),
          async (steps, scheduler) => {
            const { current, history, rolls } = await run(steps, scheduler);

            for (const volume of VOLUMES) {
              const numbers = history.map(({ noted }) => numberOf(noted.get(volume)));
              expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
              expect(numbers.at(-1)).toBe(current.get(volume));
            }
            // First records restart nothing; after them there is a restart for each change, and for nothing else.
            const changes = history.flatMap(({ noted }, index) =>
              [...(history[index - 1]?.noted ?? [])].filter(([volume, hash]) => noted.get(volume) !== hash),
            );
            expect(rolls).toBe(changes.length);
            const restarts = history.filter((entry, index) => entry.rolls > (history[index - 1]?.rolls ?? 0));
            const gaps = restarts.slice(1).map(({ restartedAt }, index) => restartedAt - restarts[index]!.restartedAt);
            expect(gaps.filter((gap) => gap < MIN_INTERVAL_MS)).toEqual([]);
          },
        ),
        { numRuns: 300 },
      );
    },
  );
});
