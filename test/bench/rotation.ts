import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_NAME } from './api-server.ts';
import { type Bench, makeVolumes, startOurs, type Volumes } from './bench.ts';
import { mountAll } from './driver.ts';
import type { Mount } from './load.ts';
import { totalCalls } from './measure.ts';
import { nodeObjects } from './node-objects.ts';
import { usageOf } from './process-usage.ts';
import type { Provider } from './provider.ts';
import { secretVersion } from './secrets.ts';
import { percentile } from './statistics.ts';
import { describeCalls, table } from './table.ts';

export interface RotationResult {
  readonly name: string;
  /** Per interval. */
  readonly calls: Readonly<Record<string, number>>;
  readonly apiCalls: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  /** Seconds from the rotation to a pod's having all new values; absent where nothing was rotated. */
  readonly freshAfter?: { readonly median: number; readonly longest: number };
  /** MiB at the end. */
  readonly rss: number;
  readonly anonymous: number;
  /** Pods that did not get their values in time. */
  readonly stale: number;
}

const INTERVAL_MS = 10_000;
const QUIET_INTERVALS = 3;
/** Of an interval: until a rotation counts as missed. */
const PATIENCE = 3;

/** Mounts all pods, and then leaves the provider to itself: nobody calls Mount again. */
export async function runRotation(bench: Bench, signal: AbortSignal): Promise<readonly RotationResult[]> {
  const results: RotationResult[] = [];
  for (const denied of [[], ['secretsmanager:BatchGetSecretValue']] as const) {
    const { options, surroundings, progress } = bench;
    const suffix = denied.length > 0 ? ', batch denied' : '';
    await surroundings.standIns.configure({ denied });
    const flags = ['--enable-secret-rotation', `--node-name=${NODE_NAME}`, `--rotation-poll-interval=${INTERVAL_MS}ms`];
    await using provider = await startOurs(bench, flags, signal);
    await using volumes = await makeVolumes(bench, options.load);
    await surroundings.standIns.place(nodeObjects(volumes.mounts));
    progress(`mounting${suffix}`);
    await mountAll(provider.client, volumes.mounts, { concurrency: options.concurrency, attempts: 1 }, signal);
    // The first looks come when the mounts' own answers grow old.
    await sleep(INTERVAL_MS, undefined, { signal });
    progress(`some quiet intervals${suffix}`);
    results.push(await quietInterval(`nothing changes${suffix}`, bench, provider, signal));
    progress(`a rotation${suffix}`);
    results.push(await rotation(`all rotated${suffix}`, bench, provider, volumes, signal));
  }
  return results;
}

async function quietInterval(
  name: string,
  { surroundings: { standIns } }: Bench,
  provider: Provider,
  signal: AbortSignal,
): Promise<RotationResult> {
  await standIns.reset();
  const before = usageOf(provider.pid);
  await sleep(QUIET_INTERVALS * INTERVAL_MS, undefined, { signal });
  const { aws, api } = await standIns.read();
  const { cpuSeconds, rss, anonymous } = usageOf(provider.pid);
  function each(calls: Readonly<Record<string, number>>): Record<string, number> {
    return Object.fromEntries(
      Object.entries(calls).map(([action, count]) => [action, Math.round((10 * count) / QUIET_INTERVALS) / 10]),
    );
  }
  return {
    name,
    calls: each(aws.calls),
    apiCalls: each(api.calls),
    cpuSeconds: (cpuSeconds - before.cpuSeconds) / QUIET_INTERVALS,
    rss,
    anonymous,
    stale: 0,
  };
}

async function rotation(
  name: string,
  { options, surroundings: { standIns } }: Bench,
  provider: Provider,
  { mounts }: Volumes,
  signal: AbortSignal,
): Promise<RotationResult> {
  await standIns.reset();
  const before = usageOf(provider.pid);
  const startedAt = performance.now();
  const { generation } = await standIns.rotate();
  const waiting = new Set(mounts);
  const freshAfter: number[] = [];
  while (waiting.size > 0 && performance.now() - startedAt < PATIENCE * INTERVAL_MS) {
    for (const mount of waiting) {
      if (await isFresh(mount, generation, options.secretBytes)) {
        waiting.delete(mount);
        freshAfter.push((performance.now() - startedAt) / 1_000);
      }
    }
    await sleep(50, undefined, { signal });
  }
  // What follows the files, such as versions and events, is part of it; and so is the rest of the interval.
  await sleep(Math.max(0, INTERVAL_MS - (performance.now() - startedAt)), undefined, { signal });
  const { aws, api } = await standIns.read();
  const { cpuSeconds, rss, anonymous } = usageOf(provider.pid);
  return {
    name,
    calls: aws.calls,
    apiCalls: api.calls,
    cpuSeconds: cpuSeconds - before.cpuSeconds,
    freshAfter: { median: percentile(freshAfter, 0.5), longest: percentile(freshAfter, 1) },
    rss,
    anonymous,
    stale: waiting.size,
  };
}

/** Files change all at once, so the last one tells of all. */
async function isFresh({ request, objects }: Mount, generation: number, bytes: number): Promise<boolean> {
  const last = objects.at(-1);
  if (last === undefined) {
    return true;
  }
  const contents = await readFile(join(request.targetPath, last.path), 'utf8').catch(() => undefined);
  return contents === secretVersion(last.name, generation, bytes).value;
}

export function showRotation(results: readonly RotationResult[]): string {
  return table(
    [
      'an interval in which',
      'AWS calls',
      'API calls',
      'CPU s',
      'fresh after s: median',
      'longest',
      'RSS',
      'anon',
      'stale',
    ],
    results.map(({ name, calls, apiCalls, cpuSeconds, freshAfter, rss, anonymous, stale }) => [
      name,
      describeCalls(calls),
      totalCalls(apiCalls).toFixed(0),
      cpuSeconds.toFixed(2),
      freshAfter?.median.toFixed(1) ?? '',
      freshAfter?.longest.toFixed(1) ?? '',
      rss.toFixed(0),
      anonymous.toFixed(0),
      `${stale}`,
    ]),
  );
}

export function staleOf(results: readonly RotationResult[]): {
  readonly wrong: number;
  readonly firstProblem?: string;
} {
  const wrong = results.reduce((sum, { stale }) => sum + stale, 0);
  return { wrong, ...(wrong > 0 && { firstProblem: `a pod without its new values after ${PATIENCE} intervals` }) };
}
