import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { isGoJsonObject, parseGoJson } from '../class/go/go-json.ts';
import type { Authentication, ServiceAccountTokens } from '../model/mount-spec.ts';

/** Audience of the token that STS exchanges (IRSA). */
export const STS_AUDIENCE = 'sts.amazonaws.com';
/** Audience of the token that the EKS Pod Identity agent exchanges. */
export const POD_IDENTITY_AUDIENCE = 'pods.eks.amazonaws.com';

export function audienceOf({ kind }: Authentication): string {
  return kind === 'irsa' ? STS_AUDIENCE : POD_IDENTITY_AUDIENCE;
}

/**
 * @param text audience → `{token, expirationTimestamp}`; undefined if the CSIDriver requests no tokens
 * @throws ProviderError InvalidRequest
 */
export function parseTokens(text: string | undefined): ServiceAccountTokens {
  const tokens = new Map<string, SecretBytes>();
  if (text === undefined || text === '') {
    return tokens;
  }
  const parsed = parseGoJson(text);
  if (!parsed.ok || (parsed.value !== null && !isGoJsonObject(parsed.value))) {
    const reason = parsed.ok ? 'they are no JSON object' : parsed.reason;
    throw new ProviderError('InvalidRequest', `failed to unmarshal serviceAccount.tokens: ${reason}`);
  }
  for (const [audience, entry] of Object.entries(parsed.value ?? {})) {
    const token = isGoJsonObject(entry) ? entry['token'] : undefined;
    if (typeof token === 'string' && token !== '') {
      tokens.set(audience, SecretBytes.fromText(token));
    }
  }
  return tokens;
}

/** @throws ProviderError TokenMissing, saying what to add to the CSIDriver object */
export function tokenFor(tokens: ServiceAccountTokens, audience: string): SecretBytes {
  const token = tokens.get(audience);
  if (token !== undefined) {
    return token;
  }
  const remedy = `add {audience: "${audience}"} to spec.tokenRequests of the CSIDriver secrets-store.csi.k8s.io, or let the provider ask for tokens by --token-request`;
  if (tokens.size === 0) {
    throw new ProviderError(
      'TokenMissing',
      `serviceAccount.tokens not provided: the driver sent no token of the pod's service account: ${remedy} (IRSA needs "${STS_AUDIENCE}", EKS Pod Identity "${POD_IDENTITY_AUDIENCE}")`,
    );
  }
  const use = audience === POD_IDENTITY_AUDIENCE ? 'Pod Identity' : 'IRSA';
  throw new ProviderError(
    'TokenMissing',
    `${use} token extraction failed: the driver sent no token for the audience "${audience}": ${remedy}`,
  );
}
