import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const IMPORT = /from '(?<path>\.[^']+)'/g;
const MAX_LINES = 250;
/** The one file that knows the real time. */
const CLOCK = join('concurrency', 'clock.ts');
const REAL_TIME =
  /(?<![.\w])set(?:Timeout|Interval|Immediate)\b|timers\/promises|performance\.now|Date\.now|new Date\(\)|AbortSignal\.timeout/;

interface SourceFile {
  /** Folder below `src`; `.` is `src` itself. */
  readonly folder: string;
  readonly name: string;
  readonly lines: number;
  readonly text: string;
  /** Folders of what it imports, its own left out. */
  readonly imports: ReadonlySet<string>;
}

function readSource(): readonly SourceFile[] {
  const src = join(CHECKOUT, 'src');
  return globSync('**/*.ts', { cwd: src, exclude: ['**/*.test.ts'] }).map((name) => {
    const text = readFileSync(join(src, name), 'utf8');
    const folder = dirname(name);
    const imported = Array.from(text.matchAll(IMPORT), ({ groups }) =>
      normalize(relative(src, dirname(join(src, folder, groups?.['path'] ?? '')))),
    );
    return {
      folder,
      name,
      text,
      lines: text.split('\n').length,
      imports: new Set(imported.map((path) => (path === '' ? '.' : path)).filter((path) => path !== folder)),
    };
  });
}

/** @returns folders along one way that comes back to its beginning; empty where there is none */
function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const done = new Set<string>();

  function walk(folder: string, way: readonly string[]): readonly string[] {
    const at = way.indexOf(folder);
    if (at !== -1) {
      return [...way.slice(at), folder];
    }
    if (done.has(folder)) {
      return [];
    }
    for (const next of edges.get(folder) ?? []) {
      const cycle = walk(next, [...way, folder]);
      if (cycle.length > 0) {
        return cycle;
      }
    }
    done.add(folder);
    return [];
  }

  return [...edges.keys()].map((folder) => walk(folder, [])).find((cycle) => cycle.length > 0) ?? [];
}

function edgesOf(files: readonly SourceFile[]): ReadonlyMap<string, ReadonlySet<string>> {
  const edges = new Map<string, Set<string>>();
  for (const { folder, imports } of files) {
    edges.set(folder, (edges.get(folder) ?? new Set<string>()).union(imports));
  }
  return edges;
}

describe('the folders of src', () => {
  const files = readSource();

  it('import each other one way only', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(findCycle(edgesOf(files))).toEqual([]);
  });

  it('use only the clock that is passed in', () => {
    const others = files.filter(({ name, text }) => name !== CLOCK && REAL_TIME.test(text));

    expect(others.map(({ name }) => name)).toEqual([]);
  });

  it('contain no long file', () => {
    expect(files.filter(({ lines }) => lines > MAX_LINES).map(({ name }) => name)).toEqual([]);
  });
});

describe('a cycle', () => {
  it('is found through several folders', () => {
    const edges = new Map([
      ['a', new Set(['b'])],
      ['b', new Set(['c', 'd'])],
      ['d', new Set(['b'])],
    ]);

    expect(findCycle(edges)).toEqual(['b', 'd', 'b']);
  });
});
