import type { SecretBytes } from '../model/secret-bytes.ts';

/** What a token says of itself; nobody vouches for that but who verifies it. */
export interface TokenClaims {
  /** Whose it is (`sub`); empty for what is no token. */
  readonly subject: string;
  /** Whom it is for (`aud`). */
  readonly audiences: readonly string[];
  /** Wall clock in milliseconds (`exp`); absent where it does not say. */
  readonly expiresAt?: number;
}

/** Reads a JSON web token without verifying it. */
export function tokenClaims(token: SecretBytes): TokenClaims {
  const [, payload = ''] = token.exposeText().split('.');
  const { sub, aud, exp } = parseObject(Buffer.from(payload, 'base64url').toString());
  return {
    subject: typeof sub === 'string' ? sub : '',
    audiences: [aud].flat().filter((audience) => typeof audience === 'string'),
    ...(typeof exp === 'number' && { expiresAt: exp * 1_000 }),
  };
}

function parseObject(text: string): { readonly sub?: unknown; readonly aud?: unknown; readonly exp?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
