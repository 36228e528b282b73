import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../model/errors.ts';
import type { AwsCall } from './call.ts';
import { failureOf, awsError } from './aws-error.ts';

const CALL: AwsCall = {
  doing: 'Failed fetching secret db',
  object: 'db',
  action: 'secretsmanager:GetSecretValue',
  resource: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-??????',
  region: 'eu-west-1',
  identity: { kind: 'irsa', roleArn: 'arn:aws:iam::123456789012:role/r', namespace: 'shop', serviceAccount: 'cart' },
};
const STS_CALL: AwsCall = { ...CALL, action: 'sts:AssumeRoleWithWebIdentity' };
const { signal } = new AbortController();

/** An error as the SDK throws it: unmodelled ones are all of the client's fault. */
function thrown(name: string, message = 'said AWS', httpStatusCode = 400): Error {
  return Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode, requestId: 'r-1' } });
}

describe('the reason of an error', () => {
  it.for([
    ['AccessDeniedException', 400, 'AccessDenied'],
    ['AccessDenied', 403, 'AccessDenied'],
    ['SomethingNew', 403, 'AccessDenied'],
    ['ResourceNotFoundException', 400, 'ObjectNotFound'],
    ['ParameterVersionNotFound', 400, 'ObjectNotFound'],
    ['InvalidRequestException', 400, 'ObjectRefused'],
    ['DecryptionFailure', 400, 'ObjectRefused'],
    ['SomethingNew', 400, 'ObjectRefused'],
    ['ThrottlingException', 400, 'Throttled'],
    ['SomethingNew', 429, 'Throttled'],
    ['ExpiredTokenException', 400, 'CredentialsRefused'],
    ['UnrecognizedClientException', 400, 'CredentialsRefused'],
    ['InvalidSignatureException', 400, 'CredentialsRefused'],
    ['InternalServiceError', 500, 'StoreUnavailable'],
    ['SomethingNew', 502, 'StoreUnavailable'],
  ] as const)('%s with %i is %s', ([name, status, reason]) => {
    expect(awsError(thrown(name, 'said AWS', status), CALL, signal)).toMatchObject({ reason, object: 'db' });
  });

  it.for([
    ['AccessDenied', 403, 'CredentialsRefused'],
    ['ValidationError', 400, 'CredentialsRefused'],
    ['InvalidIdentityToken', 400, 'CredentialsRefused'],
    ['Throttling', 400, 'Throttled'],
    ['IDPCommunicationErrorException', 400, 'StoreUnavailable'],
    ['InternalFailure', 500, 'StoreUnavailable'],
  ] as const)('%s with %i from STS is %s', ([name, status, reason]) => {
    expect(awsError(thrown(name, 'said AWS', status), STS_CALL, signal).reason).toBe(reason);
  });

  it.for(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'CERT_HAS_EXPIRED'])(
    '%s means that AWS cannot be reached',
    (code) => {
      const error = Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' });

      expect(awsError(error, CALL, signal)).toMatchObject({
        reason: 'StoreUnavailable',
        message: expect.stringContaining(`Failed fetching secret db: eu-west-1: connect ${code} (as role`),
      });
    },
  );

  it('is a bug for anything else, whose text is not in the message', () => {
    const bug = new TypeError('x of undefined');

    expect(awsError(bug, CALL, signal)).toMatchObject({ reason: 'Internal', cause: bug });
    expect(awsError(bug, CALL, signal).message).not.toContain('x of undefined');
  });
});

describe('the message', () => {
  it('names object, status, region, code, text, request and identity', () => {
    expect(awsError(thrown('ResourceNotFoundException'), CALL, signal).message).toBe(
      'Failed fetching secret db: 400: eu-west-1: ResourceNotFoundException: said AWS (request id r-1, as role arn:aws:iam::123456789012:role/r of service account shop/cart): ' +
        'check its name, version and label, and that it is in eu-west-1; for another account, set its ARN',
    );
  });

  it.for([
    [
      'User: u is not authorized to perform: secretsmanager:GetSecretValue on resource: db because no policy allows it',
      'allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-?????? in a policy of this role',
    ],
    [
      'User: u is not authorized to perform: ssm:GetParameters on resource: arn:aws:ssm:eu-west-1:1:parameter/p because no policy',
      'allow ssm:GetParameters on arn:aws:ssm:eu-west-1:1:parameter/p in a policy of this role',
    ],
    [
      'User: u is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:1:key/k because no policy',
      'allow kms:Decrypt on arn:aws:kms:eu-west-1:1:key/k in a policy of this role',
    ],
    ['Access to KMS is not allowed', "allow kms:Decrypt on the object's KMS key in a policy of this role"],
    [
      'User: u is not authorized to perform: secretsmanager:GetSecretValue on resource: db with an explicit deny in a service control policy',
      'remove the explicit deny of secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-??????',
    ],
    ['no', 'allow secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-?????? in'],
  ] as const)('of the denial "%s" names the permission to allow', ([text, remedy]) => {
    expect(awsError(thrown('AccessDeniedException', text), CALL, signal).message).toContain(`shop/cart): ${remedy}`);
  });

  it.for([
    ['InvalidRequestException', "You can't perform this operation … because it was marked for deletion.", 'restore it'],
    ['DecryptionFailure', "Secrets Manager can't decrypt the protected secret text", 'its KMS key must be enabled'],
    ['InvalidSignatureException', 'Signature expired', 'check the clock of the node'],
  ] as const)('of %s ("%s") says "%s"', ([name, text, remedy]) => {
    expect(awsError(thrown(name, text), CALL, signal).message).toContain(remedy);
  });

  it('is one line of bounded length, whatever AWS sends', () => {
    const { message } = awsError(thrown('AccessDeniedException', `a\n\tb\u0000${'x'.repeat(5_000)}`), CALL, signal);

    expect(message).toContain('AccessDeniedException: a b xxx');
    expect(message).not.toMatch(/\p{Cc}/u);
    expect(message.length).toBeLessThan(1_000);
  });

  it('never quotes a body that could not be parsed', () => {
    const error = Object.assign(new SyntaxError('Unexpected token h, "hunter2" is not valid JSON'), {
      $metadata: { httpStatusCode: 200 },
      $response: { body: 'hunter2' },
    });

    expect(awsError(error, CALL, signal)).toMatchObject({ reason: 'StoreUnavailable' });
    expect(
      JSON.stringify(Object.entries(Object.getOwnPropertyDescriptors(awsError(error, CALL, signal)))),
    ).not.toContain('hunter2');
  });
});

describe('a call that its signal ended', () => {
  const aborted = Object.assign(new Error('Request aborted'), { name: 'AbortError' });

  it.for([
    [AbortSignal.abort(new ProviderError('DeadlineExceeded', 'not done')), 'DeadlineExceeded', 'not done'],
    [AbortSignal.abort(new DOMException('late', 'TimeoutError')), 'DeadlineExceeded', 'AWS did not answer'],
    [AbortSignal.abort(), 'Cancelled', 'the call was cancelled'],
  ] as const)("has the signal's reason: %#", ([ended, reason, text]) => {
    expect(awsError(aborted, CALL, ended)).toMatchObject({ reason, message: expect.stringContaining(text) });
    expect(failureOf(new Error('aborted'), ended).reason).toBe(reason);
  });

  it("has AWS's error, if there was one", () => {
    expect(awsError(thrown('AccessDeniedException'), CALL, AbortSignal.abort()).reason).toBe('AccessDenied');
  });
});
