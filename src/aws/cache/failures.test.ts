import { describe, expect, it } from 'vitest';
import { clockAt } from '../../../test/fakes/virtual-clock.ts';
import { type FailureReason, ProviderError } from '../../model/errors.ts';
import { createFailures, isOutage } from './failures.ts';

const LONG = 120_000;

function newFailures() {
  const clock = { now: 1_000 };
  return { clock, failures: createFailures(clockAt(() => clock.now)) };
}

describe('a failure', () => {
  it.for([
    ['AccessDenied', 1_000],
    ['ObjectNotFound', 1_000],
    ['CredentialsRefused', 1_000],
    ['Internal', 1_000],
    ['StoreUnavailable', 5_000],
    ['Throttled', 5_000],
    ['DeadlineExceeded', 5_000],
  ] as const satisfies [FailureReason, number][])('of reason %s is good for %i ms', ([reason, goodForMs]) => {
    const { clock, failures } = newFailures();
    const error = new ProviderError(reason, 'no');
    failures.put('k', error);

    clock.now += goodForMs - 1;
    expect(failures.get('k', LONG)).toBe(error);
    clock.now += 1;
    expect(failures.get('k', LONG)).toBeUndefined();
  });

  it('is good for no longer than any answer is', () => {
    const { clock, failures } = newFailures();
    failures.put('down', new ProviderError('StoreUnavailable', 'no'));
    failures.put('denied', new ProviderError('AccessDenied', 'no'));

    clock.now += 299;
    expect([failures.get('down', 300), failures.get('denied', 300)]).not.toContain(undefined);
    clock.now += 1;
    expect([failures.get('down', 300), failures.get('denied', 300)]).toEqual([undefined, undefined]);
  });

  it('is not remembered where nothing is', () => {
    const { failures } = newFailures();
    failures.put('k', new ProviderError('StoreUnavailable', 'no'));

    expect(failures.get('k', 0)).toBeUndefined();
  });

  it('is that of its key, and the latest', () => {
    const { failures } = newFailures();
    failures.put('k', new ProviderError('StoreUnavailable', 'first'));
    failures.put('k', new ProviderError('AccessDenied', 'second'));

    expect(failures.get('k', LONG)).toMatchObject({ reason: 'AccessDenied', message: 'second' });
    expect(failures.get('other', LONG)).toBeUndefined();
  });
});

it('remembers no end of a process as a failure of AWS', () => {
  const { failures } = newFailures();
  failures.put('k', new ProviderError('Cancelled', 'the provider is stopping'));

  expect(failures.get('k', LONG)).toBeUndefined();
});

it.for([
  ['StoreUnavailable', true],
  ['Throttled', true],
  ['DeadlineExceeded', true],
  ['Cancelled', true],
  ['AccessDenied', false],
  ['ObjectNotFound', false],
  ['ObjectRefused', false],
  ['CredentialsRefused', false],
] as const satisfies [FailureReason, boolean][])('takes %s for an outage: %s', ([reason, outage]) => {
  expect(isOutage(new ProviderError(reason, 'x'))).toBe(outage);
});
