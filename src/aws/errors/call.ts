import type { Identity } from '../model/identity.ts';

/** The facts of an AWS call that an error message needs. */
export interface AwsCall {
  /** Start of the message, e.g. `Failed fetching secret prod/db`. */
  readonly doing: string;
  /** objectName of the entry. */
  readonly object?: string;
  /** IAM action that the call needs. */
  readonly action: `${'sts' | 'secretsmanager' | 'ssm'}:${string}`;
  /** ARN to allow the action on, as it must appear in a policy. */
  readonly resource: string;
  readonly region: string;
  readonly identity: Identity;
}
