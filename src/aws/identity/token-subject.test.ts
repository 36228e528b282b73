import { expect, it } from 'vitest';
import { mintToken } from '../../../test/fakes/aws/web-token.ts';
import { SecretBytes } from '../../secret-bytes.ts';
import { tokenSubject } from './token-subject.ts';

function encoded(payload: string): string {
  return `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;
}

it('says whose token it is', () => {
  expect(tokenSubject(SecretBytes.fromText(mintToken('shop/web')))).toBe('system:serviceaccount:shop:web');
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
])('says nobody of what is no token: %s', ([, token]) => {
  expect(tokenSubject(SecretBytes.fromText(token))).toBe('');
});
