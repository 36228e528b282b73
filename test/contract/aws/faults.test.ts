import { IMPATIENT } from '../../fakes/aws/settings.ts';
import { expect, it } from 'vitest';
import { ProviderError } from '../../../src/model/errors.ts';
import { EXPIRED, type Fault, OUTAGE, THROTTLED } from '../../fakes/aws/faults.ts';
import {
  failure,
  fetchAll,
  fetcherWith,
  parameter,
  podSpec,
  reasons,
  secret,
  settingsFor,
  texts,
  useFetcher,
} from './fetch-fixture.ts';

const { signal } = new AbortController();
const GET = { action: 'secretsmanager:GetSecretValue', resource: 'a' };
const aws = useFetcher(async (fakes) => {
  const seed = await fakes.seed();
  await Promise.all([seed.secret('a', 'value a'), seed.secret('b', 'value b'), seed.parameter('/p', 'value p')]);
}, IMPATIENT);

it.for([
  ['a throttled call', THROTTLED],
  ['an outage', OUTAGE],
  ['a reset', { kind: 'reset' }],
  ['an answer that never comes', { kind: 'hang' }],
] as const satisfies [string, Fault][])('recovers from %s that happens once', async ([, fault]) => {
  using _ = aws.fakes.gate.state.inject(fault, GET, 1);

  expect(texts(await fetchAll(aws.fetcher, podSpec([secret('a')]), signal))).toEqual(['value a']);
});

it.for([
  ['Throttled', THROTTLED, /a: 400: us-east-1: ThrottlingException: Rate exceeded .*quota in us-east-1 is used up/],
  ['Throttled', { ...THROTTLED, status: 429, code: 'Whatever' }, /a: 429: us-east-1: Whatever/],
  ['StoreUnavailable', OUTAGE, /a: 503: us-east-1: InternalFailure: An internal error.*an outage of us-east-1/],
  ['StoreUnavailable', { ...OUTAGE, status: 500, code: 'InternalServiceError' }, /a: 500: /],
  [
    'StoreUnavailable',
    { kind: 'reset' },
    /a: us-east-1: (?:read ECONNRESET|socket hang up) .*check the network between/,
  ],
  [
    'StoreUnavailable',
    { kind: 'hang' },
    /a: us-east-1: no answer in time .*check the network between the node and AWS in us-east-1/,
  ],
  [
    'StoreUnavailable',
    { kind: 'garble', status: 200, body: 's3cr3t' },
    /a: 200: us-east-1: a response that is not from AWS/,
  ],
  ['StoreUnavailable', { kind: 'garble', status: 403, body: '<p>s3cr3t' }, /a: 403: us-east-1: a response that is not/],
  ['StoreUnavailable', { kind: 'garble', status: 502, body: '<p>s3cr3t' }, /a: 502: us-east-1: a response that is not/],
  ['StoreUnavailable', { kind: 'garble', status: 500, body: '' }, /a: 500: us-east-1: a response that is not from AWS/],
  ['CredentialsRefused', EXPIRED, /a: 400: us-east-1: ExpiredTokenException: /],
] as const satisfies [string, Fault, RegExp][])(
  'reports %s for a lasting fault, and only for the affected object',
  async ([reason, fault, message]) => {
    using _ = aws.fakes.gate.state.inject(fault, GET);

    const outcomes = await fetchAll(aws.fetcher, podSpec([secret('a'), secret('b')]), signal);

    expect(reasons(outcomes)).toEqual([reason, 'value value b']);
    expect(failure(outcomes[0]).object).toBe('a');
    expect(failure(outcomes[0]).message).toMatch(message);
    expect(failure(outcomes[0]).message).not.toContain('s3cr3t');
  },
);

it('ends a call that hangs after all attempts and no later', async () => {
  using _ = aws.fakes.gate.state.inject({ kind: 'hang' }, { service: 'ssm' });
  const began = performance.now();

  const outcomes = await fetchAll(aws.fetcher, podSpec([parameter('/p')]), signal);

  expect(reasons(outcomes)).toEqual(['StoreUnavailable']);
  expect(performance.now() - began).toBeLessThan(20_000);
});

it('ends a response that stops in the middle', async () => {
  using _ = aws.fakes.gate.state.inject({ kind: 'stall', body: '{"SecretStr' }, GET);

  expect(reasons(await fetchAll(aws.fetcher, podSpec([secret('a')]), signal))).toEqual(['StoreUnavailable']);
});

it.for([
  ['an unanswered call', { kind: 'hang' }],
  ['a wait between attempts', THROTTLED],
] as const satisfies [string, Fault][])('aborts %s at once when the mount is cancelled', async ([, fault]) => {
  using _ = aws.fakes.gate.state.inject(fault);
  using slow = fetcherWith(
    settingsFor(aws.fakes.gate.url, { maxAttempts: 10 }),
    aws.fakes.addRole('slow', ['shop/cart']),
  );
  const before = aws.fakes.gate.state.count();
  const cancelling = new AbortController();
  const fetching = fetchAll(slow, podSpec([secret('a')]), cancelling.signal);
  await expect.poll(() => aws.fakes.gate.state.count() - before).toBeGreaterThan(0);
  const began = performance.now();
  cancelling.abort(new ProviderError('Cancelled', 'the driver ended the call'));

  await expect(fetching).rejects.toThrow(new ProviderError('Cancelled', 'the driver ended the call'));
  expect(performance.now() - began).toBeLessThan(10_000);
});

it('reports the deadline when that ends it', async () => {
  using _ = aws.fakes.gate.state.inject({ kind: 'hang' }, GET);

  const before = aws.fakes.gate.state.count();
  const over = new AbortController();
  const fetching = fetchAll(aws.fetcher, podSpec([secret('a')]), over.signal);
  await expect.poll(() => aws.fakes.gate.state.count() - before).toBeGreaterThan(0);
  over.abort(new ProviderError('DeadlineExceeded', 'over'));

  await expect(fetching).rejects.toThrow('over');
});
