import type { Clock } from '../concurrency/clock.ts';
import type { SecretBytes } from '../model/secret-bytes.ts';
import type { Authentication, PodRef, ServiceAccountTokens } from '../model/mount-spec.ts';
import { tokenClaims } from '../request/token-claims.ts';
import { audienceOf } from '../request/service-account-tokens.ts';

/** Requests a token of the pod's service account from the API server. @throws ProviderError */
export type RequestToken = (pod: PodRef, audience: string, signal: AbortSignal) => Promise<SecretBytes>;

/** A token that expires sooner may expire on its way to AWS. */
const MARGIN_MS = 30_000;

/**
 * Returns the driver's tokens. If the driver sent none for the audience, or only an expired one, requests it from the API server. Without `requestToken` the
 * driver's tokens are used as they are, and AWS rejects them if they have expired.
 * @throws ProviderError
 */
export async function freshTokens(
  given: { readonly pod: PodRef; readonly tokens: ServiceAccountTokens; readonly authentication: Authentication },
  { requestToken, clock }: { readonly requestToken?: RequestToken; readonly clock: Clock },
  signal: AbortSignal,
): Promise<ServiceAccountTokens> {
  const audience = audienceOf(given.authentication);
  const token = given.tokens.get(audience);
  if (requestToken === undefined || (token !== undefined && isUnexpired(token, clock))) {
    return given.tokens;
  }
  return new Map([...given.tokens, [audience, await requestToken(given.pod, audience, signal)]]);
}

function isUnexpired(token: SecretBytes, clock: Clock): boolean {
  const { expiresAt = Number.POSITIVE_INFINITY } = tokenClaims(token);
  return expiresAt - clock.wallNow() > MARGIN_MS;
}
