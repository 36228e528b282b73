import { type Measurement, totalCalls } from './measure.ts';

/** Upper bounds; what is absent is free. */
export interface Target {
  readonly wallSeconds?: number;
  readonly p99Ms?: number;
  readonly calls?: number;
  readonly cpuSeconds?: number;
  /** MiB */
  readonly anonymous?: number;
}

/** Words for each bound, `!` before those that were missed. */
export function compare(target: Target, measured: Measurement): readonly string[] {
  const rows: readonly (readonly [limit: number | undefined, value: number, words: string])[] = [
    [target.wallSeconds, measured.wallSeconds, `${target.wallSeconds} s`],
    [target.p99Ms, measured.p99Ms, `p99 ${target.p99Ms} ms`],
    [target.calls, totalCalls(measured.calls), `${target.calls} calls`],
    [target.cpuSeconds, measured.cpuSeconds, `${target.cpuSeconds} s CPU`],
    [target.anonymous, measured.memory.anonymous, `${target.anonymous} MiB anon`],
  ];
  return rows
    .filter(([limit]) => limit !== undefined)
    .map(([limit = 0, value, words]) => `${value <= limit ? '' : '!'}${words}`);
}
