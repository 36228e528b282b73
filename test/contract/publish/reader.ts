/*
 * A program that reads like a pod does: `reader.ts names|directory <target> <name>…`, until its standard input ends. Each file holds its generation, a
 * number, on every line. Prints `ready`, then at its end a `ReaderReport` as JSON.
 *
 * names: opens one name after the other. A set that changes whole shows in this: once one name gave generation n, none gives an older one.
 * directory: opens `..data` once a round and the files below it: all of one generation, unless the directory is removed meanwhile.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface ReaderReport {
  readonly rounds: number;
  /** Highest generation seen. */
  readonly generation: number;
  /** Generations seen, in number. */
  readonly generations: number;
  readonly faults: readonly string[];
}

const [how, target = '', ...names] = process.argv.slice(2);
const faults: string[] = [];
const generations = new Set<number>();
let newest = -1;
let rounds = 0;
let isEnding = false;

process.stdin.resume().on('end', () => (isEnding = true));
process.stdout.write('ready\n');
for (let isLast = false; !isLast;) {
  isLast = isEnding;
  if (how === 'names') {
    readNames();
  } else {
    readDirectory();
  }
  rounds += 1;
  await nextTurn();
}
const report: ReaderReport = { rounds, generation: newest, generations: generations.size, faults: faults.slice(0, 5) };
process.stdout.write(JSON.stringify(report));

function readNames(): void {
  for (const name of names) {
    try {
      note(name, read(join(target, name)));
    } catch (error) {
      faults.push(String(error));
    }
  }
}

function readDirectory(): void {
  const directory = openSync(join(target, '..data'), 'r');
  try {
    const [first, ...others] = names.map((name) => read(`/proc/self/fd/${directory}/${name}`));
    note('..data', first!);
    if (others.some((other) => other !== first)) {
      faults.push(`${first} beside ${others.join(', ')}`);
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw error;
    }
  } finally {
    closeSync(directory);
  }
}

function note(name: string, generation: number): void {
  if (generation < newest) {
    faults.push(`${name} has ${generation} after ${newest} was there`);
  }
  generations.add(generation);
  newest = Math.max(newest, generation);
}

function read(path: string): number {
  const lines = new Set(readFileSync(path, 'utf8').trimEnd().split('\n'));
  const [line = 'nothing'] = lines;
  if (lines.size !== 1 || !/^\d+$/.test(line)) {
    faults.push(`${path} holds ${[...lines].join(', ')}`);
  }
  return Number(line);
}
