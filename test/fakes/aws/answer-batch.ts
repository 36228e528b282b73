import type { IncomingHttpHeaders } from 'node:http';
import { denial } from './answers.ts';
import type { AwsRequest } from './aws-request.ts';
import { accountOf, isAllowed, resourceArn, type Session } from './policy.ts';
import type { Upstream } from './upstream.ts';

interface BatchAnswer {
  readonly SecretValues: readonly unknown[];
  readonly Errors: readonly unknown[];
}

const GET = 'secretsmanager:GetSecretValue';

/** BatchGetSecretValue as in AWS: each secret needs GetSecretValue too, and a denial of one is an error of that one. */
export async function answerBatch(
  request: AwsRequest,
  session: Session,
  headers: IncomingHttpHeaders,
  upstream: Upstream,
): Promise<BatchAnswer> {
  const { region, parameters } = request;
  const account = accountOf(session.role.arn);
  const { allowed = [], denied = [] } = Object.groupBy(request.resources, (name) =>
    isAllowed(session.role, GET, resourceArn('secretsmanager', name, region, account)) ? 'allowed' : 'denied',
  );
  const errors = denied.map((name) => {
    const { code, message } = denial({ ...request, action: GET }, session, name);
    return { SecretId: name, ErrorCode: code, Message: message };
  });
  if (allowed.length === 0) {
    return { SecretValues: [], Errors: errors };
  }
  const { body } = await upstream(headers, JSON.stringify({ ...parameters, SecretIdList: allowed }));
  const { SecretValues, Errors } = JSON.parse(body.toString()) as BatchAnswer;
  return { SecretValues, Errors: [...Errors, ...errors] };
}
