import type { Problem } from '../model/mount-spec.ts';

/** Collects the problems of a class. It keeps the first hundred and counts the others, because a class may have thousands. */
export interface ProblemList<Kind extends Problem = Problem> {
  readonly size: number;
  add(problem: Kind): void;
  /** The first problems, and one that summarizes the others. */
  all(): readonly Kind[];
}

const MAX_KEPT = 100;

export function newProblemList<Kind extends Problem = Problem>(): ProblemList<Kind> {
  const kept: Kind[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(problem) {
      size += 1;
      if (kept.length < MAX_KEPT) {
        kept.push(problem);
      }
    },
    all() {
      const rest = size - kept.length;
      const more = kept.slice(0, rest === 0 ? 0 : 1);
      return [...kept, ...more.map((first) => ({ ...first, message: `and ${rest} more`, count: rest }))];
    },
  };
}
