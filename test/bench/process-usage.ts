import { readFileSync } from 'node:fs';

/** Ticks a second of the times in /proc: 100 on every Linux that Node runs on (proc_pid_stat(5), sysconf(_SC_CLK_TCK)). */
const TICKS = 100;

export interface Usage {
  /** User and system time since the process started. */
  readonly cpuSeconds: number;
  /** Page faults that had to read from disk: in a small memory cgroup, the sign of thrashing. */
  readonly majorFaults: number;
  /** MiB */
  readonly rss: number;
  readonly anonymous: number;
  readonly peakRss: number;
}

/** @throws Error when there is no such process */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the name, may hold blanks; what follows its closing bracket begins with the third.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS,
    majorFaults: Number(fields[9]),
    rss: mebibytes(rollup, 'Rss'),
    anonymous: mebibytes(rollup, 'Anonymous'),
    peakRss: mebibytes(status, 'VmHWM'),
  };
}

function mebibytes(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1_024;
}
