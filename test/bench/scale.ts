import { type Bench, makeVolumes, measureOptions, startOurs } from './bench.ts';
import type { LoadShape } from './load.ts';
import { measure, type Measurement, totalCalls } from './measure.ts';
import { table } from './table.ts';

const PODS = [10, 50, 110, 250, 500, 1_000] as const;
const SECRETS = [1, 5, 10, 20, 50] as const;

export interface ScaleResult {
  readonly shape: LoadShape;
  readonly measured: Measurement;
}

/** Cold starts, each in a fresh process, growing in one dimension at a time. */
export async function runScale(bench: Bench, signal: AbortSignal): Promise<readonly ScaleResult[]> {
  const { options, surroundings, progress } = bench;
  const shapes: readonly LoadShape[] = [
    ...PODS.map((pods) => ({ ...options.load, pods })),
    ...SECRETS.map((secretsPerPod) => ({ ...options.load, secretsPerPod })),
  ];
  const results: ScaleResult[] = [];
  for (const shape of shapes) {
    progress(`${shape.pods} pods, ${shape.secretsPerPod} secrets each`);
    await using provider = await startOurs(bench, [], signal);
    await using volumes = await makeVolumes(bench, shape);
    results.push({
      shape,
      measured: await measure(provider, surroundings.standIns, volumes.mounts, measureOptions(options), signal),
    });
  }
  return results;
}

export function showScale(results: readonly ScaleResult[]): string {
  return table(
    [
      'pods',
      'secrets',
      'wall s',
      'ms/mount',
      'p99 ms',
      'CPU s',
      'CPU ms/mount',
      'calls',
      'RSS',
      'peak RSS',
      'anon',
      'wrong',
    ],
    results.map(({ shape, measured }) => [
      `${shape.pods}`,
      `${shape.secretsPerPod}`,
      measured.wallSeconds.toFixed(2),
      ((measured.wallSeconds * 1_000) / shape.pods).toFixed(2),
      measured.p99Ms.toFixed(0),
      measured.cpuSeconds.toFixed(2),
      ((measured.cpuSeconds * 1_000) / shape.pods).toFixed(2),
      `${totalCalls(measured.calls)}`,
      measured.memory.rss.toFixed(0),
      measured.memory.peakRss.toFixed(0),
      measured.memory.anonymous.toFixed(0),
      `${measured.wrong}`,
    ]),
  );
}
