import { type Measurement, totalCalls } from './measure.ts';
import type { ScenarioResult } from './run-scenarios.ts';
import { describeCalls, table } from './table.ts';
import { compare } from './targets.ts';

/** @param isUsualLoad whether the targets, which are for one load, say anything about this one */
export function showScenarios(results: readonly ScenarioResult[], isUsualLoad: boolean): string {
  const hasOther = results.some(({ provider }) => provider === 'other');
  const hasCgroup = results.some(({ measured }) => measured.cgroup !== undefined);
  const hasThrottling = results.some(({ measured }) => measured.throttled > 0);
  const columns: readonly (readonly [title: string, cell: (result: ScenarioResult) => string])[] = [
    ['scenario', ({ step }) => step.name],
    ...(hasOther ? [['provider', ({ provider }: ScenarioResult) => provider] as const] : []),
    ['wall s', ({ measured }) => measured.wallSeconds.toFixed(2)],
    ['p50 ms', ({ measured }) => measured.p50Ms.toFixed(0)],
    ['p99 ms', ({ measured }) => measured.p99Ms.toFixed(0)],
    ['AWS calls', ({ measured }) => describeCalls(measured.calls)],
    ...(hasThrottling ? [['throttled', ({ measured }: ScenarioResult) => `${measured.throttled}`] as const] : []),
    ['TLS', ({ measured }) => `${measured.connections}`],
    ['API', ({ measured }) => `${totalCalls(measured.apiCalls)}`],
    ['CPU s', ({ measured }) => measured.cpuSeconds.toFixed(2)],
    ['RSS', ({ measured }) => measured.memory.rss.toFixed(0)],
    ['peak', ({ measured }) => measured.memory.peakRss.toFixed(0)],
    ['anon', ({ measured }) => measured.memory.anonymous.toFixed(0)],
    ...(hasCgroup ? [['memory cgroup', ({ measured }: ScenarioResult) => describeCgroup(measured)] as const] : []),
    ['mounted', ({ measured }) => describeOutcome(measured)],
    ...(isUsualLoad
      ? ([
          ['ours must show (! missed)', describeTarget],
          ["AWS's provider 3.1.1", ({ step }) => step.rival ?? ''],
        ] satisfies [string, (result: ScenarioResult) => string][])
      : []),
  ];
  return table(
    columns.map(([title]) => title),
    results.map((result) => columns.map(([, cell]) => cell(result))),
  );
}

function describeTarget({ provider, step, measured }: ScenarioResult): string {
  return provider === 'ours' ? compare(step.target ?? {}, measured).join(', ') : '';
}

function describeOutcome({ mounts, wrong, failedCalls }: Measurement): string {
  const retried = failedCalls > wrong ? `, ${failedCalls} calls failed` : '';
  return `${wrong === 0 ? 'all right' : `${wrong} of ${mounts} WRONG`}${retried}`;
}

function describeCgroup({ cgroup, majorFaults }: Measurement): string {
  return cgroup === undefined
    ? ''
    : `peak ${cgroup.peak.toFixed(0)} MiB, ${majorFaults} major faults, ${cgroup.reread.toFixed(0)} MiB read again, ${cgroup.oomKills} OOM kills`;
}
