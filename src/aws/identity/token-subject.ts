import type { SecretBytes } from '../../secret-bytes.ts';

/**
 * Whose token it says it is (a JWT's `sub`); nobody vouches for that but who verifies the token.
 * @returns empty for what is no token
 */
export function tokenSubject(token: SecretBytes): string {
  const [, payload = ''] = token.exposeText().split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const subject = typeof claims === 'object' && claims !== null && 'sub' in claims ? claims.sub : undefined;
    return typeof subject === 'string' ? subject : '';
  } catch {
    return '';
  }
}
