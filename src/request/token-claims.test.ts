import { expect, it } from 'vitest';
import { mintToken } from '../../test/fakes/aws/web-token.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { tokenClaims } from './token-claims.ts';

function encoded(payload: string): string {
  return `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;
}

it('returns whose token it is, and when it expires', () => {
  expect(tokenClaims(SecretBytes.fromText(mintToken('shop/web', { exp: 1_900_000_000 })))).toEqual({
    subject: 'system:serviceaccount:shop:web',
    audiences: ['sts.amazonaws.com'],
    expiresAt: 1_900_000_000_000,
  });
});

it.for<readonly [string, string]>([
  ['nothing', ''],
  ['words', 'not a token'],
  ['parts of nothing', '..'],
  ['no JSON', encoded('{')],
  ['no object', encoded('"sub"')],
  ['null', encoded('null')],
  ['no subject', encoded('{}')],
  ['a subject that is no text', encoded('{"sub":["system:serviceaccount:shop:web"]}')],
])('returns no subject for a text that is not a token: %s', ([, token]) => {
  expect(tokenClaims(SecretBytes.fromText(token))).toEqual({ subject: '', audiences: [] });
});
