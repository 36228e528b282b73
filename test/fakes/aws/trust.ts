import type { AwsError } from './answers.ts';
import type { Role } from './policy.ts';
import { ISSUER, readToken, subjectOf } from './web-token.ts';

/** STS's error for AssumeRoleWithWebIdentity, in the order of its checks; none if it accepts the token. */
export function refuseToken(token: string, role: Role | undefined, issuer: string = ISSUER): AwsError | undefined {
  const claims = readToken(token);
  if (claims === undefined) {
    return invalid('The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)');
  }
  if (claims.iss !== issuer) {
    return invalid(`No OpenIDConnect provider found in your account for ${claims.iss}`);
  }
  if (claims.exp * 1000 < Date.now()) {
    return {
      status: 400,
      code: 'ExpiredTokenException',
      message: `Token expired: current date/time ${Math.floor(Date.now() / 1000)} must be before the expiration date/time ${claims.exp}`,
    };
  }
  if (!claims.aud.includes('sts.amazonaws.com')) {
    return invalid('Incorrect token audience');
  }
  return role?.trusts.includes(subjectOf(claims))
    ? undefined
    : { status: 403, code: 'AccessDenied', message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity' };
}

function invalid(message: string): AwsError {
  return { status: 400, code: 'InvalidIdentityToken', message };
}
