import type { Problem } from '../model/mount-spec.ts';

/** Collects the problems of a class. It keeps the first hundred and counts the others, because a class may have thousands. */
export interface ProblemList {
  readonly size: number;
  add(problem: Problem): void;
  /** The first problems, and one that summarizes the others. */
  all(): readonly Problem[];
}

const MAX_KEPT = 100;

export function newProblemList(): ProblemList {
  const kept: Problem[] = [];
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
      const [first] = kept;
      const rest = size - kept.length;
      return first === undefined || rest === 0
        ? kept
        : [...kept, { message: `and ${rest} more`, parameter: first.parameter, count: rest }];
    },
  };
}
