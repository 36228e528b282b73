import type { FailureReason } from '../../model/errors.ts';
import type { Fault } from './fault.ts';

/** The reasons for which a call to AWS can fail. */
export type AwsReason = Extract<
  FailureReason,
  'CredentialsRefused' | 'AccessDenied' | 'ObjectNotFound' | 'ObjectRefused' | 'Throttled' | 'StoreUnavailable'
>;

/** By bare code. */
const REASONS: ReadonlyMap<string, AwsReason> = new Map([
  ...all('Throttled', [
    'Throttling',
    'Throttled',
    'TooManyRequests',
    'ProvisionedThroughputExceeded',
    'RequestLimitExceeded',
    'RequestThrottled',
    'SlowDown',
  ]),
  ...all('AccessDenied', ['AccessDenied', 'UnauthorizedOperation', 'KMSAccessDenied']),
  ...all('ObjectNotFound', ['ResourceNotFound', 'ParameterNotFound', 'ParameterVersionNotFound', 'QueueDoesNotExist']),
  ...all('CredentialsRefused', [
    'ExpiredToken',
    'InvalidToken',
    'UnrecognizedClient',
    'InvalidClientTokenId',
    'InvalidSignature',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'MissingAuthenticationToken',
    'RequestExpired',
    'RequestTimeTooSkewed',
    'InvalidIdentityToken',
    'IDPRejectedClaim',
    'RegionDisabled',
  ]),
  ...all('StoreUnavailable', [
    'InternalServiceError',
    'InternalServerError',
    'InternalFailure',
    'InternalError',
    'ServiceUnavailable',
    'RequestTimeout',
    // STS cannot reach the cluster's OIDC issuer: an outage, although STS reports it as an error of the caller.
    'IDPCommunicationError',
  ]),
]);

/** Maps a fault to a reason. From STS, every refusal concerns the credentials. */
export function reasonOf(fault: Fault, service: 'sts' | 'store'): AwsReason {
  if (fault.kind !== 'answer') {
    return 'StoreUnavailable';
  }
  const reason = REASONS.get(bareCode(fault)) ?? byStatus(fault.status ?? 0);
  const isNo = reason !== 'Throttled' && reason !== 'StoreUnavailable';
  return service === 'sts' && isNo ? 'CredentialsRefused' : reason;
}

/** AWS's error code without `Exception`: services use both spellings. */
export function bareCode({ code }: Pick<Fault, 'code'>): string {
  return code.replace(/Exception$/, '');
}

function byStatus(status: number): AwsReason {
  if (status === 429) {
    return 'Throttled';
  }
  if (status >= 500) {
    return 'StoreUnavailable';
  }
  return status === 403 ? 'AccessDenied' : 'ObjectRefused';
}

function all(reason: AwsReason, codes: readonly string[]): readonly (readonly [string, AwsReason])[] {
  return codes.map((code) => [code, reason] as const);
}
