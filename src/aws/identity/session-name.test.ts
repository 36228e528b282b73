import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionName } from './session-name.ts';

describe('a session name', () => {
  it('is namespace and service account if they fit', () => {
    expect(sessionName('shop', 'cart.v2')).toBe('shop.cart.v2');
    expect(sessionName('n'.repeat(31), 's'.repeat(32))).toBe(`${'n'.repeat(31)}.${'s'.repeat(32)}`);
  });

  it.for([
    ['shop', 's'.repeat(80), /^shop\.s{50}-[0-9a-f]{8}$/],
    ['n'.repeat(63), 'cart', /^n{50}\.cart-[0-9a-f]{8}$/],
    ['n'.repeat(63), 's'.repeat(80), /^n{27}\.s{27}-[0-9a-f]{8}$/],
    ['shop', 'cart:v2', /^shop\.cart-v2-[0-9a-f]{8}$/],
  ] as const)('shows as much of %s and %s as fits', ([namespace, serviceAccount, expected]) => {
    expect(sessionName(namespace, serviceAccount)).toMatch(expected);
  });

  it('is always valid for STS, and differs if its parts differ', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 90 });
    fc.assert(
      fc.property(name, name, name, (namespace, one, other) => {
        const named = sessionName(namespace, one);

        expect(named).toMatch(/^[\w+=,.@-]{2,64}$/);
        expect(named === sessionName(namespace, other)).toBe(one === other);
      }),
    );
  });
});
