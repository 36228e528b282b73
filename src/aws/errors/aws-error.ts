import { ProviderError } from '../../model/errors.ts';
import { remedy } from './advice.ts';
import type { AwsCall } from './call.ts';
import { type Fault, faultText, readFault } from './fault.ts';
import { describeIdentity } from '../model/identity.ts';
import { bare } from '../../text/quote.ts';
import { type AwsReason, reasonOf } from './reasons.ts';

/**
 * Converts what a call threw into a ProviderError. It has no `cause`, because an error of the SDK contains the request's token and the response body.
 * @param signal the signal of the call
 */
export function awsError(thrown: unknown, call: AwsCall, signal: AbortSignal): ProviderError {
  const fault = readFault(thrown);
  if (fault === undefined || (signal.aborted && fault.kind !== 'answer')) {
    return failureOf(thrown, signal);
  }
  return faultError(fault, reasonOf(fault, call.action.startsWith('sts:') ? 'sts' : 'store'), call);
}

/** Names what failed, AWS's message, the identity and the remedy. */
export function faultError(fault: Fault, reason: AwsReason, call: AwsCall): ProviderError {
  const what = faultText(call.doing, fault, call.region);
  const request = fault.requestId === undefined ? '' : `request id ${bare(fault.requestId)}, `;
  return new ProviderError(
    reason,
    `${what} (${request}as ${describeIdentity(call.identity)}): ${remedy(fault, reason, call)}`,
    call.object === undefined ? {} : { object: call.object },
  );
}

/** Converts what work threw that a signal may have ended: an error of our own, the reason of the signal, or a bug. */
export function failureOf(thrown: unknown, signal: AbortSignal): ProviderError {
  if (thrown instanceof ProviderError || !signal.aborted) {
    return ProviderError.from(thrown);
  }
  const reason: unknown = signal.reason;
  if (reason instanceof ProviderError) {
    return reason;
  }
  return reason instanceof Error && reason.name === 'TimeoutError'
    ? new ProviderError(
        'DeadlineExceeded',
        'AWS did not answer within the time that a mount has (--mount-timeout): is the network between the node and AWS slow?',
      )
    : new ProviderError('Cancelled', 'the call was cancelled');
}
