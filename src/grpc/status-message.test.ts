import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ProviderError } from '../model/errors.ts';
import { fitting, statusMessage } from './status-message.ts';

function errorOf(messages: readonly string[], unsaid = 0): ProviderError {
  return ProviderError.all(
    messages.map((message) => new ProviderError('AccessDenied', message)),
    unsaid,
  );
}

it('contains all problems that fit, and the number of the others', () => {
  expect(statusMessage(errorOf(['alone']))).toBe('alone');
  expect(statusMessage(errorOf(['one', 'two']))).toBe('2 problems: (1) one; (2) two');
  expect(statusMessage(errorOf(['one', 'two'], 7))).toBe(
    "9 problems: (1) one; (2) two; … and 7 more problems, see the provider's log",
  );
});

it('is never longer than 4 KiB encoded, and splits no character', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary', maxLength: 1_500 }), { minLength: 1, maxLength: 5 }),
      fc.nat(100_000),
      (messages, unsaid) => {
        const encoded = encodeURI(statusMessage(errorOf(messages, unsaid)));

        expect(encoded.length).toBeLessThanOrEqual(4096);
        expect(fitting(messages[0]!, 64).isWellFormed()).toBe(true);
      },
    ),
    { numRuns: 15 },
  );
});
