import { randomUUID } from 'node:crypto';
import type { Clock } from '../../concurrency/clock.ts';
import type { SecretBytes } from '../../model/secret-bytes.ts';
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
  /** ARN of the role that the pod's service account names. @throws ProviderError */
  roleOf(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** @param party the identity that asks */
  sts(region: string, party: string): Regional<Pick<Clients, 'assumeRoleWithWebIdentity'>>;
  /** Of the requests to the Pod Identity agent. @param party the service account that asks */
  agentLimit(party: string): Limit;
  /** The end of a request for credentials, which is not that of the call that began it: others wait for it too. */
  deadline(): AbortSignal;
}

/** A pod, as AWS knows it. */
export interface Authenticated {
  readonly identity: Identity;
  /** Equal for equal identities only, and for what AWS has still to verify unlike any other. */
  readonly key: string;
  /** Whether by what its token says it may be answered from memory. */
  readonly isOwn: boolean;
  /** Wall clock in milliseconds, until which its token says that it lasts. */
  readonly tokenEndsAt: number;
  /** Credentials good in every region; where STS gives them, the region is whose STS to ask. @throws ProviderError */
  credentialsIn(region: string, signal: AbortSignal): Promise<Credentials>;
  /** AWS refused these credentials of this region: the next call gets others. */
  drop(region: string, credentials: Credentials): void;
}

export interface CredentialsSource {
  /** Asks nobody but the API server. @throws ProviderError where the request has no token, or the service account no role */
  authenticate(spec: MountSpec, signal: AbortSignal): Promise<Authenticated>;
}

export function createCredentialsSource(deps: CredentialDeps): CredentialsSource {
  const cache = createCredentialsCache(deps.clock);
  const strangers = new WeakMap<MountSpec, string>();

  /** The questions of one call are of one key, and those of any other call of another. */
  function strangerKey(spec: MountSpec): string {
    const key = strangers.get(spec) ?? randomUUID();
    strangers.set(spec, key);
    return key;
  }

  /**
   * What is held was given for a token that AWS verified. One that is another account's, for another audience, has ended or is none gets what
   * AWS says to it, each time anew, and spoils nothing for the others.
   * @param keyIn cache key of the credentials for a region
   */
  function authenticated(
    identity: Identity,
    { token, isOwn, spec }: { readonly token: SecretBytes; readonly isOwn: boolean; readonly spec: MountSpec },
    keyIn: (key: string, region: string) => string,
    obtain: (region: string) => Promise<Credentials>,
  ): Authenticated {
    const { expiresAt = 0 } = tokenClaims(token);
    const key = isOwn ? identityKey(identity) : `${identityKey(identity)} ${strangerKey(spec)}`;
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
          (region) =>
            assumeRoleWithWebIdentity(identity, token, deps.sts(region, identityKey(identity)), deps.deadline()),
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

/** By what it says itself: whether that is true, AWS finds out when credentials are asked for. */
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
