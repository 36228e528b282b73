import type { CallCounter } from './call-counter.ts';
import type { Sessions } from './sessions.ts';
import type { TokenBuckets } from './token-buckets.ts';

/** Every call the stand-in knows, by its IAM action, and the short word for it in options and tables. */
export const ACTIONS = {
  'sts:AssumeRoleWithWebIdentity': 'sts',
  'sts:AssumeRole': 'chain',
  'secretsmanager:GetSecretValue': 'get',
  'secretsmanager:BatchGetSecretValue': 'batch',
  'ssm:GetParameters': 'ssm',
  'eks-auth:AssumeRoleForPodIdentity': 'agent',
} as const;

export type Action = keyof typeof ACTIONS;

export interface Settings {
  /** Milliseconds before each answer. */
  readonly latencyMs: number;
  /** Actions that every policy forbids. */
  readonly denied: readonly Action[];
  /** Calls a second that are let through; the rest is throttled. */
  readonly rates: Readonly<Partial<Record<Action, number>>>;
  /** Size of each value. */
  readonly secretBytes: number;
}

/** What answers depend on; changed from outside between calls. */
export interface CloudState {
  settings: Settings;
  /** Rotations of all secrets so far. */
  generation: number;
  readonly sessions: Sessions;
  readonly calls: CallCounter;
  readonly buckets: TokenBuckets;
}
