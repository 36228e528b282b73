import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';

const PAGE = 4_096;

/** The files of one cgroup version, by what we ask them for. */
interface Layout {
  readonly root: string;
  readonly limit: string;
  /** Swap would hide what a node without it shows. */
  readonly swap: readonly [file: string, value: (limit: number) => string];
  readonly peak: string;
  readonly oomKills: readonly [file: string, line: string];
  readonly refaults: string;
}

const V1: Layout = {
  root: join(ROOT, 'memory'),
  limit: 'memory.limit_in_bytes',
  swap: ['memory.memsw.limit_in_bytes', String],
  peak: 'memory.max_usage_in_bytes',
  oomKills: ['memory.oom_control', 'oom_kill '],
  refaults: 'total_workingset_refault_file ',
};

const V2: Layout = {
  root: ROOT,
  limit: 'memory.max',
  swap: ['memory.swap.max', () => '0'],
  peak: 'memory.peak',
  oomKills: ['memory.events', 'oom_kill '],
  refaults: 'workingset_refault_file ',
};

export interface CgroupReading {
  /** MiB; page cache counts too, so it reaches the limit in any process that reads enough files. */
  readonly peak: number;
  /** MiB of files, such as the program's own code, that were dropped for want of room and had to be read again: thrashing. */
  readonly reread: number;
  readonly oomKills: number;
}

/** A group that holds a process to so much memory, as a container's limit does. */
export interface MemoryCgroup extends Disposable {
  readonly folder: string;
  /** A file; a process that writes its id there joins. */
  readonly joinFile: string;
  read(): CgroupReading;
}

/**
 * Needs root. @param limit bytes
 * @throws Error where this machine has no memory cgroup that can be written
 */
export function makeMemoryCgroup(name: string, limit: number): MemoryCgroup {
  const layout = existsSync(join(V1.root, V1.limit)) ? V1 : V2;
  const folder = join(layout.root, name);
  mkdirSync(folder);
  if (!existsSync(join(folder, layout.limit))) {
    rmdirSync(folder);
    throw new Error(
      `no memory controller in ${layout.root}: cgroup version 2 needs "+memory" in its cgroup.subtree_control`,
    );
  }
  writeFileSync(join(folder, layout.limit), `${limit}`);
  const [swapFile, swapValue] = layout.swap;
  if (existsSync(join(folder, swapFile))) {
    writeFileSync(join(folder, swapFile), swapValue(limit));
  }

  function numberIn(file: string, line: string): number {
    const found = readFileSync(join(folder, file), 'utf8')
      .split('\n')
      .find((candidate) => candidate.startsWith(line));
    return Number(found?.slice(line.length));
  }

  return {
    folder,
    joinFile: join(folder, 'cgroup.procs'),
    read: () => ({
      peak: numberIn(layout.peak, '') / 2 ** 20,
      reread: (numberIn('memory.stat', layout.refaults) * PAGE) / 2 ** 20,
      oomKills: numberIn(...layout.oomKills),
    }),
    // What its files in volumes weighed moves to the parent group.
    [Symbol.dispose]: () => rmdirSync(folder),
  };
}
