import { mountAll, type Outcome, type Storm } from './driver.ts';
import type { Mount } from './load.ts';
import type { CgroupReading } from './memory-cgroup.ts';
import { type Usage, usageOf } from './process-usage.ts';
import type { Provider } from './provider.ts';
import type { StandIns } from './start-stand-ins.ts';
import { percentile } from './statistics.ts';
import { problemsOf } from './verify.ts';

export interface Measurement {
  readonly mounts: number;
  readonly wallSeconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** AWS calls by action, those refused too; the agent's are among them. */
  readonly calls: Readonly<Record<string, number>>;
  readonly throttled: number;
  readonly denied: number;
  /** TLS connections opened to AWS. */
  readonly connections: number;
  /** Calls to the API server by verb and resource. */
  readonly apiCalls: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly majorFaults: number;
  /** At the end. */
  readonly memory: Pick<Usage, 'rss' | 'anonymous' | 'peakRss'>;
  /** Its peak is that of the process so far. */
  readonly cgroup?: CgroupReading;
  /** Mount calls that failed, those that a retry made good too. */
  readonly failedCalls: number;
  /** Mounts that failed or came to something wrong, with the first words about it. */
  readonly wrong: number;
  readonly firstProblem?: string;
}

export interface MeasureOptions extends Storm {
  readonly secretBytes: number;
  /** What goes before the mounts, its AWS calls counted too: a provider may well work in the background. */
  readonly before?: () => Promise<void>;
}

/** Mounts all and says what it took. The files of every mount are compared with what the stand-in holds. */
export async function measure(
  provider: Provider,
  standIns: StandIns,
  mounts: readonly Mount[],
  options: MeasureOptions,
  signal: AbortSignal,
): Promise<Measurement> {
  await standIns.reset();
  const first = usageOf(provider.pid);
  const rereadBefore = provider.cgroup?.().reread ?? 0;
  await options.before?.();
  const started = performance.now();
  const outcomes = await mountAll(provider.client, mounts, options, signal);
  const wallSeconds = (performance.now() - started) / 1_000;
  const end = provider.ended();
  const last = end === undefined ? usageOf(provider.pid) : first;
  const group = provider.cgroup?.();
  const { aws, api, generation, connections } = await standIns.read();
  const times = outcomes.map(({ ms }) => ms);
  const problems = await Promise.all(outcomes.map((outcome) => problemsOf(outcome, generation, options.secretBytes)));
  const wrong = problems.filter(({ length }) => length > 0);
  const firstProblem = end ?? wrong[0]?.[0];
  return {
    mounts: mounts.length,
    wallSeconds,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    calls: aws.calls,
    throttled: aws.throttled,
    denied: aws.denied,
    connections,
    apiCalls: api.calls,
    cpuSeconds: last.cpuSeconds - first.cpuSeconds,
    majorFaults: last.majorFaults - first.majorFaults,
    memory: { rss: last.rss, anonymous: last.anonymous, peakRss: last.peakRss },
    ...(group !== undefined && { cgroup: { ...group, reread: group.reread - rereadBefore } }),
    failedCalls: countFailures(outcomes),
    wrong: end === undefined ? wrong.length : Math.max(1, wrong.length),
    ...(firstProblem !== undefined && { firstProblem }),
  };
}

function countFailures(outcomes: readonly Outcome[]): number {
  return outcomes.reduce((sum, { failures }) => sum + failures.length, 0);
}

export function totalCalls(calls: Readonly<Record<string, number>>): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}
