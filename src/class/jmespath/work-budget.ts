/** Thrown where a budget is used up: whatever else is asked of it would fail, too. */
export class WorkExceeded extends Error {}

/** What the JMESPath expressions of one mount may do together; a unit is about 0.2 µs. */
export interface WorkBudget {
  /** @throws WorkExceeded */
  spend(units: number): void;
}

/** Some two seconds: a volume's 4 MiB of JSON, parsed, take half of it. */
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
