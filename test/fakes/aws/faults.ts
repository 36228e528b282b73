import type { AwsError } from './answers.ts';
import type { AwsRequest } from './aws-request.ts';

/** A fault of a request. */
export type Fault =
  | ErrorFault
  | { readonly kind: 'delay'; readonly ms: number }
  /** Responds once the promise resolves. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** Accepts the request and never responds. */
  | { readonly kind: 'hang' }
  /** Closes the connection with a reset. */
  | { readonly kind: 'reset' }
  /** Responds with this text, like a proxy in between. */
  | { readonly kind: 'garble'; readonly status: number; readonly body: string }
  /** Begins a 200 response with this text and never ends it. */
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
  /** One of the requested names or ARNs. */
  readonly resource?: string;
}

export interface Injection {
  readonly fault: Fault;
  readonly match: RequestMatch;
  /** Number of requests that it still affects. */
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
