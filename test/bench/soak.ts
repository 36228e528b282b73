import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, makeVolumes, measureOptions, shortInterval, startOurs, type Volumes } from './bench.ts';
import { measure } from './measure.ts';
import { slope } from './statistics.ts';
import { newName } from './surroundings.ts';

interface SoakSample {
  readonly seconds: number;
  /** MiB */
  readonly rss: number;
  readonly anonymous: number;
  readonly openFiles: number;
  readonly wrong: number;
}

export interface SoakResult {
  readonly samples: readonly SoakSample[];
  readonly mounts: number;
  readonly wrong: number;
  readonly firstProblem?: string;
  /** Growth after the first third, in which caches fill and code is compiled. MiB an hour; files an hour. */
  readonly rssSlope: number;
  readonly anonymousSlope: number;
  readonly openFilesSlope: number;
}

/** Pods come and go in groups, of which every tick replaces the oldest. */
const GROUPS = 10;
const TICKS_PER_ROTATION = 5;

/** Busy, yet with moments in which garbage collection and timers get their turn, as on a node. */
const PAUSE_MS = 200;

/** One process for the whole time: every tick republishes all volumes, replaces a tenth of the pods, and now and then finds all secrets rotated. */
export async function runSoak(bench: Bench, signal: AbortSignal): Promise<SoakResult> {
  const { options, surroundings, progress } = bench;
  const { standIns } = surroundings;
  const { flags, waitMs } = shortInterval(bench);
  await using provider = await startOurs(bench, flags, signal);
  const namespace = newName();
  const shape = { ...options.load, pods: Math.ceil(options.load.pods / GROUPS) };
  let groups: Volumes[] = [];
  let made = 0;
  let mounts = 0;
  let firstProblem: string | undefined;
  const samples: SoakSample[] = [];
  const started = performance.now();
  try {
    for (
      let tick = 0;
      performance.now() - started < options.soakSeconds * 1_000 && provider.ended() === undefined;
      tick += 1
    ) {
      while (groups.length < GROUPS) {
        groups.push(await makeVolumes(bench, shape, namespace, made));
        made += shape.pods;
      }
      if (tick % TICKS_PER_ROTATION === TICKS_PER_ROTATION - 1) {
        await standIns.rotate();
        await sleep(waitMs, undefined, { signal });
      }
      const all = groups.flatMap((group) => group.mounts);
      const measured = await measure(provider, standIns, all, measureOptions(options), signal);
      mounts += all.length;
      firstProblem ??= measured.firstProblem;
      samples.push({
        seconds: (performance.now() - started) / 1_000,
        rss: measured.memory.rss,
        anonymous: measured.memory.anonymous,
        openFiles: countOpenFiles(provider.pid),
        wrong: measured.wrong,
      });
      if (tick % 20 === 0) {
        progress(
          `tick ${tick}: RSS ${measured.memory.rss.toFixed(0)} MiB, anonymous ${measured.memory.anonymous.toFixed(0)} MiB`,
        );
      }
      await groups.shift()?.[Symbol.asyncDispose]();
      await sleep(PAUSE_MS, undefined, { signal });
    }
  } finally {
    for (const group of groups) {
      await group[Symbol.asyncDispose]();
    }
    groups = [];
  }
  const settled = samples.slice(Math.floor(samples.length / 3));
  function perHour(field: 'rss' | 'anonymous' | 'openFiles'): number {
    return slope(settled.map((sample) => [sample.seconds / 3_600, sample[field]]));
  }
  return {
    samples,
    mounts,
    wrong: samples.reduce((sum, { wrong }) => sum + wrong, 0),
    ...(firstProblem !== undefined && { firstProblem }),
    rssSlope: perHour('rss'),
    anonymousSlope: perHour('anonymous'),
    openFilesSlope: perHour('openFiles'),
  };
}

/** 0 of a process that has ended. */
function countOpenFiles(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  return existsSync(folder) ? readdirSync(folder).length : 0;
}

export function showSoak({ samples, mounts, wrong, ...slopes }: SoakResult): string {
  function span(field: 'rss' | 'anonymous' | 'openFiles'): string {
    const values = samples.map((sample) => sample[field]);
    const ends = [values[0], Math.max(...values), values.at(-1)].map((value) => value?.toFixed(0));
    return `${ends[0]} at first, ${ends[1]} at most, ${ends[2]} at the end`;
  }
  return [
    `${samples.length} ticks, ${mounts} mounts, ${wrong} wrong, ${samples.at(-1)?.seconds.toFixed(0)} s`,
    `RSS MiB:        ${span('rss')}; growth after the first third ${slopes.rssSlope.toFixed(1)} MiB/h`,
    `anonymous MiB:  ${span('anonymous')}; growth ${slopes.anonymousSlope.toFixed(1)} MiB/h`,
    `open files:     ${span('openFiles')}; growth ${slopes.openFilesSlope.toFixed(1)}/h`,
  ].join('\n');
}
