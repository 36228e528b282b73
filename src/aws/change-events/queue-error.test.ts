import { expect, it } from 'vitest';
import { queueError } from './queue-error.ts';

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/111122223333/changes';

/** As the SDK throws it. */
function thrown(name: string, message: string, status?: number) {
  return Object.assign(new Error(message), {
    name,
    ...(status !== undefined && { $fault: 'client', $metadata: { httpStatusCode: status } }),
  });
}

it.for<readonly [unknown, string, string]>([
  [
    thrown('AccessDenied', 'User: x is not authorized to perform: sqs:receivemessage', 403),
    'AccessDenied',
    'allow sqs:ReceiveMessage',
  ],
  [thrown('QueueDoesNotExist', 'The specified queue does not exist.', 400), 'ObjectNotFound', '--rotation-queue-url'],
  [
    thrown('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity', 403),
    'CredentialsRefused',
    "give the provider's own service account a role",
  ],
  [
    thrown('CredentialsProviderError', 'Could not load credentials from any providers'),
    'CredentialsRefused',
    'no AWS credentials of its own',
  ],
  [thrown('ThrottlingException', 'Rate exceeded', 400), 'Throttled', 'once an interval'],
  [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 'StoreUnavailable', 'ECONNREFUSED'],
])('names the remedy: %o', ([error, reason, fragment]) => {
  const told = queueError(error, QUEUE_URL);

  expect(told).toMatchObject({ reason, message: expect.stringContaining(fragment) });
  expect(told.message).toContain(`Failed receiving change events from ${QUEUE_URL}: `);
  expect(told).not.toHaveProperty('cause');
});

it('treats errors that come neither from AWS nor from the network as bugs', () => {
  expect(queueError(new TypeError('x is undefined'), QUEUE_URL)).toMatchObject({ reason: 'Internal' });
});
