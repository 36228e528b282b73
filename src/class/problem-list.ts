import type { Problem } from '../model/mount-spec.ts';

/** Problems of a class: the first hundred are kept, the others counted. A class may have thousands. */
export interface ProblemList {
  readonly size: number;
  add(problem: Problem): void;
  /** The kept ones, and last one that stands for the others. */
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
