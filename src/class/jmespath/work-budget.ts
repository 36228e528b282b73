/** Thrown when a budget is exhausted; all further work on it fails too. */
export class WorkExceeded extends Error {}

/** The work that all JMESPath expressions of one mount may do together; a unit is about 0.2 µs. */
export interface WorkBudget {
  /** @throws WorkExceeded */
  spend(units: number): void;
}

/** About two seconds. Parsing 4 MiB of JSON, the size of a volume, takes half of it. */
const MOUNT_UNITS = 10_000_000;

export function createWorkBudget(units: number = MOUNT_UNITS): WorkBudget {
  let left = units;
  return {
    spend(more) {
      left -= more;
      if (left < 0) {
        throw new WorkExceeded('the jmesPath entries take too much work together');
      }
    },
  };
}
