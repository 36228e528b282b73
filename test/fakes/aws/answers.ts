import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { AwsRequest } from './aws-request.ts';
import { accountOf, resourceArn, type Session, sessionArn } from './policy.ts';

/** An error in the form of AWS. */
export interface AwsError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** XML for STS's query protocol, JSON for the others. */
export function sendError(
  response: ServerResponse,
  { service }: AwsRequest,
  { status, code, message }: AwsError,
): void {
  const requestId = randomUUID();
  if (service === 'sts') {
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId });
    response.end(
      `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type>` +
        `<Code>${code}</Code><Message>${xml(message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    );
    return;
  }
  sendJson(response, status, { __type: code, message }, requestId);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  requestId: string = randomUUID(),
): void {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId });
  response.end(JSON.stringify(body));
}

/** Secrets Manager repeats the requested name, Parameter Store returns the ARN. */
export function denial({ service, action, region }: AwsRequest, session: Session, name: string): AwsError {
  const resource = service === 'ssm' ? resourceArn(service, name, region, accountOf(session.role.arn)) : name;
  return {
    ...(service === 'sts' ? { status: 403, code: 'AccessDenied' } : { status: 400, code: 'AccessDeniedException' }),
    message: `User: ${sessionArn(session)} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  };
}

export const UNKNOWN_KEY: AwsError = {
  status: 400,
  code: 'UnrecognizedClientException',
  message: 'The security token included in the request is invalid.',
};

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
