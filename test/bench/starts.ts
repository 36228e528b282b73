import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, startOurs } from './bench.ts';
import { usageOf } from './process-usage.ts';
import { median } from './statistics.ts';

/** Medians over the starts. */
export interface Starts {
  readonly count: number;
  /** From the start of the process to the answer to Version. */
  readonly startMs: number;
  readonly slowestMs: number;
  readonly cpuSeconds: number;
  /** MiB, idle. */
  readonly rss: number;
  readonly anonymous: number;
}

/** What is done at start-up is over by then. */
const SETTLE_MS = 1_000;

export async function measureStarts(bench: Bench, signal: AbortSignal): Promise<Starts> {
  const { starts } = bench.options;
  const runs = [];
  for (let run = 1; run <= starts; run += 1) {
    bench.progress(`start ${run} of ${starts}`);
    await using provider = await startOurs(bench, [], signal);
    await sleep(SETTLE_MS, undefined, { signal });
    runs.push({ startMs: provider.startMs ?? Number.NaN, ...usageOf(provider.pid) });
  }
  return {
    count: starts,
    startMs: median(runs.map((run) => run.startMs)),
    slowestMs: Math.max(...runs.map((run) => run.startMs)),
    cpuSeconds: median(runs.map((run) => run.cpuSeconds)),
    rss: median(runs.map((run) => run.rss)),
    anonymous: median(runs.map((run) => run.anonymous)),
  };
}

export function showStarts(starts: Starts): string {
  const { count, startMs, slowestMs, cpuSeconds, rss, anonymous } = starts;
  return `start to first answer: ${startMs.toFixed(0)} ms (slowest ${slowestMs.toFixed(0)}), ${cpuSeconds.toFixed(2)} s CPU; idle: RSS ${rss.toFixed(0)} MiB, anonymous ${anonymous.toFixed(0)} MiB (medians of ${count})`;
}
