import type { Identity } from '../model/identity.ts';

/** A call to AWS, as far as an error must tell of it. */
export interface AwsCall {
  /** Start of the message, e.g. `Failed fetching secret prod/db`. */
  readonly doing: string;
  /** objectName of the entry it was for. */
  readonly object?: string;
  /** IAM action that it needs. */
  readonly action: `${'sts' | 'secretsmanager' | 'ssm'}:${string}`;
  /** What to allow the action on: an ARN as a policy takes it. */
  readonly resource: string;
  readonly region: string;
  readonly identity: Identity;
}
