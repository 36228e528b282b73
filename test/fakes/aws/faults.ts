import type { AwsError } from './answers.ts';
import type { AwsRequest } from './aws-request.ts';

/** What goes wrong with a request. */
export type Fault =
  | ErrorFault
  | { readonly kind: 'delay'; readonly ms: number }
  /** Goes on to its answer once that has come. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** Takes the request and never answers. */
  | { readonly kind: 'hang' }
  /** Closes the connection with a reset. */
  | { readonly kind: 'reset' }
  /** Answers with this text, as something between here and AWS might. */
  | { readonly kind: 'garble'; readonly status: number; readonly body: string }
  /** Begins to answer 200 with this text and never ends. */
  | { readonly kind: 'stall'; readonly body: string };

export interface ErrorFault extends AwsError {
  readonly kind: 'error';
}

export const THROTTLED: ErrorFault = {
  kind: 'error',
  status: 400,
  code: 'ThrottlingException',
  message: 'Rate exceeded',
};
export const OUTAGE: ErrorFault = {
  kind: 'error',
  status: 503,
  code: 'InternalFailure',
  message: 'An internal error occurred',
};
export const EXPIRED: ErrorFault = {
  kind: 'error',
  status: 400,
  code: 'ExpiredTokenException',
  message: 'The security token included in the request is expired',
};

/** Requests: absent parts match all. */
export interface RequestMatch {
  readonly service?: string;
  readonly action?: string;
  readonly region?: string;
  /** One of the names or ARNs that the request asks for. */
  readonly resource?: string;
}

export interface Injection {
  readonly fault: Fault;
  readonly match: RequestMatch;
  /** Requests that it still befalls. */
  left: number;
}

export function isMatch(
  match: RequestMatch,
  request: Pick<AwsRequest, 'service' | 'action' | 'region' | 'resources'>,
): boolean {
  return (
    (match.service ?? request.service) === request.service &&
    (match.action ?? request.action) === request.action &&
    (match.region ?? request.region) === request.region &&
    (match.resource === undefined || request.resources.includes(match.resource))
  );
}
