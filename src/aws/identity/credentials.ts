import { randomUUID } from 'node:crypto';
import type { Clock } from '../../concurrency/clock.ts';
import { createLimiter } from '../../concurrency/limiter.ts';
import { type AddressType, type MountSpec, partyOf, type PodRef } from '../../model/mount-spec.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import { audienceOf, tokenFor } from '../../request/service-account-tokens.ts';
import { type TokenClaims, tokenClaims } from '../../request/token-claims.ts';
import type { Clients, Credentials } from '../client/clients.ts';
import type { AwsSettings } from '../client/settings.ts';
import { type Identity, identityKey } from '../model/identity.ts';
import { limitIn } from '../model/store.ts';
import { createCredentialsCache } from './credentials-cache.ts';
import { credentialsFromAgent } from './pod-identity.ts';
import { assumeRoleWithWebIdentity } from './web-identity.ts';

export interface CredentialDeps {
  readonly clock: Clock;
  readonly settings: AwsSettings;
  readonly clients: Pick<Clients, 'assumeRoleWithWebIdentity'>;
  /** @returns the ARN of the role in the annotation of the pod's service account. @throws ProviderError */
  roleOf(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** The deadline of a request for credentials. It does not end with the call that started it, because other calls wait for it too. */
  deadline(): AbortSignal;
}

/** A pod with its AWS identity. */
export interface Authenticated {
  readonly identity: Identity;
  /** Cache key: the same only for equal identities. Unique if AWS has to verify the token first. */
  readonly key: string;
  /** Whether the claims of the token allow to serve the pod from the cache. */
  readonly isOwn: boolean;
  /** Wall clock in milliseconds: expiry in the claims of the token. */
  readonly tokenEndsAt: number;
  /** Credentials are valid in every region; the region selects the STS endpoint. @throws ProviderError */
  credentialsIn(region: string, signal: AbortSignal): Promise<Credentials>;
  /** Removes credentials that AWS refused, so that the next call obtains new ones. */
  drop(region: string, credentials: Credentials): void;
}

/** Makes no call to AWS. @throws ProviderError if the request has no token, or the service account no role */
export type Authenticate = (
  spec: Pick<MountSpec, 'authentication' | 'pod' | 'tokens'>,
  signal: AbortSignal,
) => Promise<Authenticated>;

/** How a pod's token becomes credentials. */
interface Exchange {
  readonly identity: Identity;
  obtain(token: SecretBytes, region: string): Promise<Credentials>;
}

export function createAuthentication(deps: CredentialDeps): Authenticate {
  const { clock, clients, settings, deadline } = deps;
  const cache = createCredentialsCache(clock);
  const limiters = { sts: createLimiter(16), agent: createLimiter(16) };

  async function roleExchange(pod: PodRef, signal: AbortSignal): Promise<Exchange> {
    const { namespace, serviceAccount } = pod;
    const identity = { kind: 'irsa', roleArn: await deps.roleOf(pod, signal), namespace, serviceAccount } as const;
    return {
      identity,
      obtain(token, region) {
        const limit = limitIn(limiters.sts, region, partyOf(pod));
        return assumeRoleWithWebIdentity(identity, token, { client: clients, region, limit }, deadline());
      },
    };
  }

  function agentExchange(pod: PodRef, addressType: AddressType): Exchange {
    const identity = { kind: 'pod-identity', pod } as const;
    const limit = limitIn(limiters.agent, '', partyOf(pod));
    return {
      identity,
      obtain: (token) => credentialsFromAgent(identity, token, { addressType, limit, settings, clock }, deadline()),
    };
  }

  return async ({ authentication, pod, tokens }, signal) => {
    const audience = audienceOf(authentication);
    const token = tokenFor(tokens, audience);
    const claims = tokenClaims(token);
    const { identity, obtain } =
      authentication.kind === 'irsa' ? await roleExchange(pod, signal) : agentExchange(pod, authentication.addressType);
    // Cached credentials and values belong to a token that AWS has verified. A token of another service account, for another audience, expired or malformed
    // must not get them: it goes to AWS each time, under a key of its own.
    const isOwn = isOwnToken(claims, pod, audience, clock);
    const key = isOwn ? identityKey(identity) : `${identityKey(identity)} ${randomUUID()}`;
    // Each region has an STS of its own; the agent is the same for all.
    function keyIn(region: string): string {
      return identity.kind === 'irsa' ? `${key} ${region}` : key;
    }
    return {
      identity,
      key,
      isOwn,
      tokenEndsAt: claims.expiresAt ?? 0,
      credentialsIn: (region, ends) => cache.get(keyIn(region), () => obtain(token, region), ends),
      drop: (region, credentials) => cache.drop(keyIn(region), credentials),
    };
  };
}

/** Checks the claims only. AWS verifies the signature when it issues credentials. */
function isOwnToken(
  { subject, audiences, expiresAt = 0 }: TokenClaims,
  { namespace, serviceAccount }: PodRef,
  audience: string,
  clock: Clock,
): boolean {
  return (
    subject === `system:serviceaccount:${namespace}:${serviceAccount}` &&
    audiences.includes(audience) &&
    expiresAt > clock.wallNow()
  );
}
