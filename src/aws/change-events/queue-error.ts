import { ProviderError } from '../../model/errors.ts';
import { faultText, readFault } from '../errors/fault.ts';
import { type AwsReason, reasonOf } from '../errors/reasons.ts';

const REMEDIES: Readonly<Record<AwsReason, string>> = {
  CredentialsRefused:
    "give the provider's own service account a role (by the annotation eks.amazonaws.com/role-arn, or a Pod Identity association)",
  AccessDenied: "allow sqs:ReceiveMessage on this queue to the provider's own role",
  ObjectNotFound: 'check --rotation-queue-url',
  ObjectRefused: 'check --rotation-queue-url',
  Throttled: 'until then changes are found once an interval',
  StoreUnavailable: 'until then changes are found once an interval',
};

/** Explains why a queue cannot be read, in one line. It has no `cause`, because an error of the SDK contains the request. */
export function queueError(thrown: unknown, queueUrl: string): ProviderError {
  const doing = `Failed receiving change events from ${queueUrl}`;
  if (thrown instanceof Error && thrown.name === 'CredentialsProviderError') {
    return new ProviderError(
      'CredentialsRefused',
      `${doing}: the provider has no AWS credentials of its own: ${REMEDIES.CredentialsRefused}`,
    );
  }
  const fault = readFault(thrown);
  if (fault === undefined) {
    return ProviderError.from(thrown);
  }
  // STS may have refused the provider's own role.
  const reason = reasonOf(fault, fault.text.includes('sts:') ? 'sts' : 'store');
  return new ProviderError(reason, `${faultText(doing, fault)}: ${REMEDIES[reason]}`);
}
