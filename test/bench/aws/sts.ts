import { randomUUID } from 'node:crypto';
import { AWS_ACCOUNT, roleNameOfToken } from '../accounts.ts';
import { ApiError } from './api-error.ts';
import type { CloudState } from './state.ts';

const STS_AUDIENCE = 'sts.amazonaws.com';

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html; every role trusts its own service account. */
export function assumeRoleWithWebIdentity(parameters: URLSearchParams, state: CloudState): string {
  const role = roleOf(parameters);
  const holder = roleNameOfToken(parameters.get('WebIdentityToken') ?? '', STS_AUDIENCE);
  if (holder === undefined) {
    throw new ApiError('InvalidIdentityToken', 'Incorrect token audience');
  }
  if (holder !== role) {
    throw new ApiError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity');
  }
  return answer('AssumeRoleWithWebIdentity', role, parameters, state, `<Audience>${STS_AUDIENCE}</Audience>`);
}

/** Role chaining; every role trusts every session. */
export function assumeRole(parameters: URLSearchParams, state: CloudState): string {
  return answer('AssumeRole', roleOf(parameters), parameters, state, '');
}

function roleOf(parameters: URLSearchParams): string {
  const arn = parameters.get('RoleArn') ?? '';
  const prefix = `arn:aws:iam::${AWS_ACCOUNT}:role/`;
  if (!arn.startsWith(prefix)) {
    throw new ApiError('ValidationError', `${arn} is invalid`);
  }
  return arn.slice(prefix.length);
}

function answer(
  action: string,
  role: string,
  parameters: URLSearchParams,
  { sessions }: CloudState,
  extra: string,
): string {
  const session = sessions.open(role);
  const name = parameters.get('RoleSessionName') ?? '';
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>
<AssumedRoleUser><Arn>arn:aws:sts::${AWS_ACCOUNT}:assumed-role/${role}/${name}</Arn><AssumedRoleId>AROABENCH:${name}</AssumedRoleId></AssumedRoleUser>
<Credentials><AccessKeyId>${session.accessKeyId}</AccessKeyId><SecretAccessKey>${session.secretAccessKey}</SecretAccessKey><SessionToken>${session.sessionToken}</SessionToken><Expiration>${session.expiration.toISOString()}</Expiration></Credentials>${extra}
</${action}Result><ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${action}Response>`;
}
