import { randomUUID } from 'node:crypto';
import type { Clock } from '../../concurrency/clock.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
import type { Party } from '../../concurrency/fair-queue.ts';
import { type MountSpec, partyOf, type PodRef } from '../../model/mount-spec.ts';
import { tokenClaims } from '../../request/token-claims.ts';
import { POD_IDENTITY_AUDIENCE, STS_AUDIENCE, tokenFor } from '../../request/service-account-tokens.ts';
import { createCredentialsCache } from './credentials-cache.ts';
import type { Clients, Credentials } from '../client/clients.ts';
import { type Identity, identityKey } from '../model/identity.ts';
import { credentialsFromAgent } from './pod-identity.ts';
import type { AwsSettings } from '../client/settings.ts';
import type { Limit, Regional } from '../model/store.ts';
import { assumeRoleWithWebIdentity } from './web-identity.ts';

export interface CredentialDeps {
  readonly clock: Clock;
  readonly settings: AwsSettings;
  /** @returns the ARN of the role in the annotation of the pod's service account. @throws ProviderError */
  roleOf(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** @param party the service account that makes the call, for fair queueing */
  sts(region: string, party: Party): Regional<Pick<Clients, 'assumeRoleWithWebIdentity'>>;
  /** Limits the requests to the Pod Identity agent. @param party the service account that makes the request, for fair queueing */
  agentLimit(party: Party): Limit;
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

export interface CredentialsSource {
  /** Makes no call to AWS. @throws ProviderError if the request has no token, or the service account no role */
  authenticate(spec: MountSpec, signal: AbortSignal): Promise<Authenticated>;
}

export function createCredentialsSource(deps: CredentialDeps): CredentialsSource {
  const cache = createCredentialsCache(deps.clock);
  const uniqueKeys = new WeakMap<MountSpec, string>();

  /** A key that all requests of one call share, and that no other call has. */
  function uniqueKey(spec: MountSpec): string {
    const key = uniqueKeys.get(spec) ?? randomUUID();
    uniqueKeys.set(spec, key);
    return key;
  }

  /**
   * Cached credentials and values belong to a token that AWS has verified. A token of another service account, for another audience, expired or malformed
   * must not get them: it goes to AWS each time, under a key of its own.
   * @param keyIn cache key of the credentials for a region
   */
  function authenticated(
    identity: Identity,
    { token, isOwn, spec }: { readonly token: SecretBytes; readonly isOwn: boolean; readonly spec: MountSpec },
    keyIn: (key: string, region: string) => string,
    obtain: (region: string) => Promise<Credentials>,
  ): Authenticated {
    const { expiresAt = 0 } = tokenClaims(token);
    const key = isOwn ? identityKey(identity) : `${identityKey(identity)} ${uniqueKey(spec)}`;
    return {
      identity,
      isOwn,
      key,
      tokenEndsAt: expiresAt,
      credentialsIn: (region, signal) => cache.get(keyIn(key, region), () => obtain(region), signal),
      drop: (region, credentials) => cache.drop(keyIn(key, region), credentials),
    };
  }

  return {
    async authenticate(spec, signal) {
      const { authentication, pod, tokens } = spec;
      if (authentication.kind === 'irsa') {
        const token = tokenFor(tokens, STS_AUDIENCE);
        const { namespace, serviceAccount } = pod;
        const identity = { kind: 'irsa', roleArn: await deps.roleOf(pod, signal), namespace, serviceAccount } as const;
        return authenticated(
          identity,
          { token, isOwn: isOwnToken(token, pod, STS_AUDIENCE, deps.clock), spec },
          (key, region) => `${key} ${region}`,
          (region) => assumeRoleWithWebIdentity(identity, token, deps.sts(region, partyOf(pod)), deps.deadline()),
        );
      }
      const token = tokenFor(tokens, POD_IDENTITY_AUDIENCE);
      const identity = { kind: 'pod-identity', pod } as const;
      const { addressType } = authentication;
      const limit = deps.agentLimit(partyOf(pod));
      return authenticated(
        identity,
        { token, isOwn: isOwnToken(token, pod, POD_IDENTITY_AUDIENCE, deps.clock), spec },
        (key) => key,
        () =>
          credentialsFromAgent(
            identity,
            token,
            { addressType, limit, settings: deps.settings, clock: deps.clock },
            deps.deadline(),
          ),
      );
    },
  };
}

/** Checks the claims only. AWS verifies the signature when it issues credentials. */
function isOwnToken(
  token: SecretBytes,
  { namespace, serviceAccount }: PodRef,
  audience: string,
  clock: Clock,
): boolean {
  const { subject, audiences, expiresAt = 0 } = tokenClaims(token);
  return (
    subject === `system:serviceaccount:${namespace}:${serviceAccount}` &&
    audiences.includes(audience) &&
    expiresAt > clock.wallNow()
  );
}
