import { describe, expect, it } from 'vitest';
import { clockAt } from '../../../test/fakes/virtual-clock.ts';
import { type FailureReason, ProviderError } from '../../model/errors.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { createObjectCache } from './object-cache.ts';

const START = 1_000;

function newCache() {
  const clock = { now: START };
  return {
    clock,
    cache: createObjectCache(
      clockAt(() => clock.now),
      100,
    ),
  };
}

function failed(reason: FailureReason, message = 'no'): ProviderError {
  return new ProviderError(reason, message);
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
  ] as const satisfies [FailureReason, number][])('of reason %s is cached for %i ms', ([reason, goodForMs]) => {
    const { clock, cache } = newCache();
    const error = failed(reason);
    cache.put('k', error);

    clock.now += goodForMs;
    expect([cache.get('k', 0), cache.knows('k', 0)]).toEqual([error, true]);
    clock.now += 1;
    expect([cache.get('k', 0), cache.knows('k', 0)]).toEqual([undefined, false]);
  });

  it('counts only if it is as new as the caller requires', () => {
    const { cache } = newCache();
    cache.put('down', failed('StoreUnavailable'));
    cache.put('denied', failed('AccessDenied'));

    expect([cache.get('down', START - 1), cache.get('denied', START - 1)]).not.toContain(undefined);
    expect([cache.get('down', START), cache.get('denied', START)]).toEqual([undefined, undefined]);
    expect([cache.knows('down', START), cache.knows('down', START, -Infinity)]).toEqual([false, true]);
  });

  it('belongs to its key, and is the latest', () => {
    const { cache } = newCache();
    cache.put('k', failed('StoreUnavailable', 'first'));
    cache.put('k', failed('AccessDenied', 'second'));

    expect(cache.get('k', 0)).toMatchObject({ reason: 'AccessDenied', message: 'second' });
    expect(cache.get('other', 0)).toBeUndefined();
  });
});

it('does not cache the end of a process as a failure of AWS', () => {
  const { cache } = newCache();
  cache.put('k', failed('Cancelled'));

  expect(cache.get('k', 0)).toBeUndefined();
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
] as const satisfies [FailureReason, boolean][])('keeps a value that was read before %s: %s', ([reason, isKept]) => {
  const { cache } = newCache();
  const object = { version: 'v1', value: SecretBytes.fromText('text'), confirmedAt: START };
  cache.put('k', object);
  cache.put('k', failed(reason));

  expect(cache.version('k', START)?.version).toBe(isKept ? 'v1' : undefined);
  expect(cache.get('k', START)).toBe(isKept ? object : undefined);
});
