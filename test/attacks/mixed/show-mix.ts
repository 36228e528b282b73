import { percentile } from '../../bench/statistics.ts';
import { table } from '../../bench/table.ts';
import { type MixReport, ratioOf } from './run-mix.ts';

const MOST_RATIO = 3;

/** The report as tables for a terminal. */
export function showMix(report: MixReport): string {
  const { tallies, alone, beside, failures, longestDelay, own, rssMiB, cgroup } = report;
  const attacks = [...tallies].map(([name, tally]) => {
    const outcomes = [...tally].toSorted(([, one], [, other]) => other - one);
    const calls = outcomes.reduce((sum, [, count]) => sum + count, 0);
    return [name, String(calls), outcomes.map(([outcome, count]) => `${outcome} ${count}`).join(', ')];
  });
  function times(share: number): readonly string[] {
    const shown = [percentile(alone, share), percentile(beside, share)].map((ms) => ms.toFixed(1));
    return [`p${share * 100}`, ...shown, ratioOf(report, share).toFixed(2)];
  }
  return [
    table(['attack', 'calls', 'outcomes'], attacks),
    table(['victim', 'alone, ms', 'beside attackers, ms', 'ratio'], [times(0.5), times(0.99)]),
    table(
      ['provider', ''],
      [
        ["victim's mounts", `${beside.length} beside attackers, ${failures.length} failed`],
        ['longest event-loop delay', `${longestDelay.ms.toFixed(0)} ms, during ${longestDelay.during.join(', ')}`],
        ["the test's own event-loop delay", `p50 ${own.p50.toFixed(0)} ms, p99 ${own.p99.toFixed(0)} ms`],
        ['peak RSS', `${rssMiB.toFixed(0)} MiB`],
        ['peak memory of the cgroup', cgroup === undefined ? 'not measured' : `${cgroup.peak.toFixed(0)} MiB`],
        ['OOM kills', cgroup === undefined ? 'not measured' : String(cgroup.oomKills)],
      ],
    ),
  ].join('\n\n');
}

/** Violations in the report; empty if the attackers had no effect on others. */
export function harmOf(report: MixReport): readonly string[] {
  const ratio = ratioOf(report);
  return [
    ...(report.ended === undefined ? [] : [`the provider ended: ${report.ended}`]),
    ...(report.failures.length === 0
      ? []
      : [`${report.failures.length} of the victim's mounts failed, first: ${report.failures[0]}`]),
    ...(ratio <= MOST_RATIO
      ? []
      : [`the victim's median is ${ratio.toFixed(2)} times that alone, above ${MOST_RATIO}`]),
    ...((report.tallies.get('forged targets')?.get('OK (forged)') ?? 0) === 0 ? [] : ['a forged target was served']),
  ];
}
