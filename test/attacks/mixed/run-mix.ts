import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { CgroupReading } from '../../bench/memory-cgroup.ts';
import { percentile } from '../../bench/statistics.ts';
import type { AttackedNode } from '../node/attacked-node.ts';
import { type AttackKind, KINDS } from './kinds.ts';
import { createRandom } from '../../fakes/random.ts';
import { prepareStage, victimMount } from './stage.ts';

export interface MixOptions {
  readonly seed: number;
  readonly seconds: number;
  /** Attacks that run at the same time, each of another kind. */
  readonly atOnce: number;
  /** Mounts of the victim before the attacks. */
  readonly aloneMounts: number;
  /** Absent: every kind. */
  readonly kinds?: Readonly<Record<string, AttackKind>>;
}

/** Calls of one kind, by outcome. */
type Tally = ReadonlyMap<string, number>;

export interface MixReport {
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Milliseconds of each of the victim's mounts. */
  readonly alone: readonly number[];
  readonly beside: readonly number[];
  /** Errors of the victim's mounts. */
  readonly failures: readonly string[];
  /** Longest time during which the event loop was blocked, in milliseconds, and the attacks that ran then. */
  readonly longestDelay: { readonly ms: number; readonly during: readonly string[] };
  /** The same for this test, which acts as AWS and the API server: the victim waits for it too. Milliseconds. */
  readonly own: { readonly p50: number; readonly p99: number };
  /** Maximum, MiB. */
  readonly rssMiB: number;
  readonly cgroup: CgroupReading | undefined;
  /** How the process ended, if it ended unexpectedly. */
  readonly ended: string | undefined;
}

const VICTIM_PAUSE_MS = 50;
const CONDITION_EVERY_MS = 500;

/** A run of attacks drawn from a seed, beside a victim that mounts one pod after another. */
export async function runMix(node: AttackedNode, options: MixOptions): Promise<MixReport> {
  const { seed, seconds, atOnce, aloneMounts, kinds = KINDS } = options;
  const tallies = new Map(Object.keys(kinds).map((name) => [name, new Map<string, number>()]));
  const underWay = new Set<string>();
  const failures: string[] = [];
  const alone: number[] = [];
  const beside: number[] = [];
  let longestDelay: MixReport['longestDelay'] = { ms: 0, during: [] };
  let rssMiB = 0;
  let endsAt = Number.POSITIVE_INFINITY;

  function hasEnded(): boolean {
    return performance.now() >= endsAt || node.provider.ended() !== undefined;
  }

  async function attack(lane: number): Promise<void> {
    const random = createRandom(seed + lane);
    while (!hasEnded()) {
      const name = random.pick(Object.keys(kinds).filter((candidate) => !underWay.has(candidate)));
      underWay.add(name);
      const outcomes = (await kinds[name]?.({ node, random })) ?? [];
      underWay.delete(name);
      const tally = tallies.get(name);
      for (const outcome of outcomes) {
        tally?.set(outcome, (tally.get(outcome) ?? 0) + 1);
      }
    }
  }

  async function mountVictim(into: number[]): Promise<void> {
    try {
      into.push(await victimMount(node));
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
    await delay(VICTIM_PAUSE_MS);
  }

  async function beVictim(): Promise<void> {
    while (!hasEnded()) {
      await mountVictim(beside);
    }
  }

  async function watch(): Promise<void> {
    while (!hasEnded()) {
      const during = [...underWay];
      await delay(CONDITION_EVERY_MS);
      const condition = await node.provider.condition().catch(() => undefined);
      rssMiB = Math.max(rssMiB, condition?.rssMiB ?? 0);
      if (condition !== undefined && condition.maxMs > longestDelay.ms) {
        longestDelay = { ms: condition.maxMs, during: [...new Set([...during, ...underWay])] };
      }
    }
  }

  await prepareStage(node);
  // The first ones are slower: credentials, values and compiled code are not cached yet.
  const warmUp: number[] = [];
  for (let count = 0; count < 5 + aloneMounts; count += 1) {
    await mountVictim(count < 5 ? warmUp : alone);
  }
  await node.provider.condition();
  const own = monitorEventLoopDelay({ resolution: 1 });
  own.enable();
  endsAt = performance.now() + seconds * 1_000;
  const lanes = Array.from({ length: atOnce }, (_, lane) => attack(lane));
  await Promise.all([...lanes, beVictim(), watch()]);
  return {
    tallies,
    alone,
    beside,
    failures,
    longestDelay,
    own: { p50: own.percentile(50) / 1e6, p99: own.percentile(99) / 1e6 },
    rssMiB,
    cgroup: node.provider.cgroup(),
    ended: node.provider.ended(),
  };
}

/** How many times slower the victim's mount is beside attackers. */
export function ratioOf({ alone, beside }: Pick<MixReport, 'alone' | 'beside'>, share = 0.5): number {
  return percentile(beside, share) / percentile(alone, share);
}
