import type { Action } from './aws/state.ts';
import type { LoadShape } from './load.ts';
import type { Target } from './targets.ts';

/** Mounting all pods once. */
export interface Step {
  /** Absent: it only brings the provider to where the next step begins. */
  readonly name?: string;
  /** What goes before: nothing, the poll interval passing, or a rotation of all secrets and then the interval. */
  readonly after?: 'interval' | 'rotation';
  readonly target?: Target;
  /** What AWS's provider 3.1.1 came to on the same load, its client of the API server unthrottled. */
  readonly rival?: string;
}

/** One process of the provider, and what is asked of it step by step. */
export interface Scenario {
  readonly denied: readonly Action[];
  /** Runs with a poll interval that can be waited for. */
  readonly shortInterval: boolean;
  readonly steps: readonly Step[];
  readonly shape?: (load: LoadShape) => LoadShape;
}

const BATCH = 'secretsmanager:BatchGetSecretValue';

export const SCENARIOS: readonly Scenario[] = [
  {
    denied: [],
    shortInterval: false,
    steps: [
      {
        name: 'cold',
        target: { wallSeconds: 0.5, p99Ms: 100, calls: 20, cpuSeconds: 1, anonymous: 75 },
        rival: '1.60 s, p99 291 ms, 1,210 calls, 1.07 s CPU, 87 MB RSS, 57 MB anonymous',
      },
      { name: 'republish inside the interval', target: { wallSeconds: 0.3, calls: 0 }, rival: '1.58 s, 1,210 calls' },
    ],
  },
  {
    denied: [BATCH],
    shortInterval: false,
    steps: [
      {
        name: 'cold, batch denied',
        target: { wallSeconds: 0.5, p99Ms: 100, calls: 110 },
        rival: '1.60 s, 1,210 calls',
      },
      { name: 'republish inside the interval, batch denied', target: { wallSeconds: 0.3, calls: 0 } },
    ],
  },
  {
    denied: [],
    shortInterval: true,
    steps: [
      {},
      { name: 'check past the interval, unchanged', after: 'interval', target: { calls: 10 }, rival: '1,210 calls' },
      {
        name: 'all rotated',
        after: 'rotation',
        target: { wallSeconds: 0.6, calls: 20 },
        rival: '2.33 s, 2,310 calls',
      },
    ],
  },
  {
    denied: [BATCH],
    shortInterval: true,
    steps: [
      {},
      {
        name: 'check past the interval, unchanged, batch denied',
        after: 'interval',
        target: { calls: 100 },
        rival: '1,210 calls',
      },
      { name: 'all rotated, batch denied', after: 'rotation' },
    ],
  },
  {
    denied: [],
    shortInterval: false,
    shape: (load) => ({ ...load, accounts: load.pods, ownSecrets: true }),
    steps: [{ name: 'cold, every pod its own account and secrets', target: { wallSeconds: 1 }, rival: '1.6 s' }],
  },
];
