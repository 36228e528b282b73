import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bench, makeVolumes, measureOptions, startOurs } from './bench.ts';
import { type CpuProfile, type ProfileSummary, summarise } from './cpu-profile.ts';
import { measure } from './measure.ts';

const SAMPLE_EVERY_US = 200;
const SHOWN = 30;

/** A cold start under V8's profiler; what goes before the first mount and after the last is left out. */
export async function runProfile(bench: Bench, signal: AbortSignal): Promise<ProfileSummary> {
  const { options, program, surroundings, progress } = bench;
  const folder = join(surroundings.runFolder, 'profile');
  const [node, ...args] = program.command;
  const profiler = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${SAMPLE_EVERY_US}`];
  const profiled: Bench = { ...bench, program: { ...program, command: [node, ...profiler, ...args] } };
  progress('cold, profiled');
  let from: number;
  let to: number;
  {
    await using provider = await startOurs(profiled, [], signal);
    await using volumes = await makeVolumes(bench, options.load);
    from = monotonicUs();
    await measure(provider, surroundings.standIns, volumes.mounts, measureOptions(options), signal);
    to = monotonicUs();
  }
  // Node writes it when it ends.
  const [file = ''] = readdirSync(folder);
  return summarise(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, from, to);
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

export function showProfile({ busyMs, packages, functions }: ProfileSummary): string {
  function lines(entries: readonly (readonly [string, number])[]): string[] {
    return entries
      .slice(0, SHOWN)
      .map(
        ([name, ms]) => `${ms.toFixed(1).padStart(8)} ms ${((100 * ms) / busyMs).toFixed(1).padStart(5)} %  ${name}`,
      );
  }
  return [
    `at work ${busyMs.toFixed(0)} ms (the main thread, profiler included)`,
    '',
    'by package, own time:',
    ...lines(packages),
    '',
    'by function, own time:',
    ...lines(functions),
  ].join('\n');
}
