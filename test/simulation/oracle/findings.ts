import type { Clock } from '../../../src/concurrency/clock.ts';

/** What must never have been, in the order in which it was seen. */
export interface Findings {
  readonly violations: readonly string[];
  violated(what: string): void;
}

/** Whatever stays wrong is named once. */
export function createFindings(clock: Clock): Findings {
  const found = new Map<string, string>();
  return {
    get violations() {
      return [...found].map(([what, at]) => `${at}: ${what}`);
    },
    violated(what) {
      if (!found.has(what)) {
        found.set(what, `${(clock.now() / 1_000).toFixed(3)} s`);
      }
    },
  };
}
