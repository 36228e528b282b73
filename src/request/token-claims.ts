import type { SecretBytes } from '../model/secret-bytes.ts';

/** Claims of a token, which are not verified. */
export interface TokenClaims {
  /** `sub`; empty if the text is not a token. */
  readonly subject: string;
  /** `aud`. */
  readonly audiences: readonly string[];
  /** `exp`, wall clock in milliseconds. */
  readonly expiresAt?: number;
}

/** Reads a JSON Web Token without verifying it. */
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
