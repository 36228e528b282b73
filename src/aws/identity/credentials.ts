import type { SecretBytes } from '../../secret-bytes.ts';
import type { MountSpec, PodRef } from '../../spec/mount-spec.ts';
import { tokenClaims } from '../../spec/token-claims.ts';
import { POD_IDENTITY_AUDIENCE, STS_AUDIENCE, tokenFor } from '../../spec/tokens.ts';
import { createCredentialsCache } from './credentials-cache.ts';
import type { Clients, Credentials } from '../clients.ts';
import { type Identity, identityKey } from './identity.ts';
import { credentialsFromAgent } from './pod-identity.ts';
import type { AwsSettings } from '../settings.ts';
import type { Regional } from '../stores/store.ts';
import { assumeRoleWithWebIdentity } from './web-identity.ts';

export interface CredentialDeps {
  readonly settings: AwsSettings;
  /** ARN of the role that the pod's service account names. @throws ProviderError */
  roleOf(pod: PodRef, signal: AbortSignal): Promise<string>;
  /** @param party the identity that asks */
  sts(region: string, party: string): Regional<Pick<Clients, 'assumeRoleWithWebIdentity'>>;
  /** The end of a request for credentials, which is not that of the call that began it: others wait for it too. */
  deadline(): AbortSignal;
}

/** A pod, as AWS knows it. */
export interface Authenticated {
  readonly identity: Identity;
  /** Equal for equal identities only. */
  readonly key: string;
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
  const cache = createCredentialsCache();

  /**
   * What is held was given for a token that AWS verified. So whose token it is belongs to the key: one that is somebody else's, or none,
   * gets what AWS says to it, and spoils nothing for the others.
   * @param keyIn cache key of the credentials for a region
   */
  function authenticated(
    identity: Identity,
    token: SecretBytes,
    keyIn: (key: string, region: string) => string,
    obtain: (region: string) => Promise<Credentials>,
  ): Authenticated {
    const { subject, expiresAt = 0 } = tokenClaims(token);
    const key = `${identityKey(identity)} ${JSON.stringify(subject)}`;
    return {
      identity,
      key,
      tokenEndsAt: expiresAt,
      credentialsIn: (region, signal) => cache.get(keyIn(key, region), () => obtain(region), signal),
      drop: (region, credentials) => cache.drop(keyIn(key, region), credentials),
    };
  }

  return {
    async authenticate({ authentication, pod, tokens }, signal) {
      if (authentication.kind === 'irsa') {
        const token = tokenFor(tokens, STS_AUDIENCE);
        const { namespace, serviceAccount } = pod;
        const identity = { kind: 'irsa', roleArn: await deps.roleOf(pod, signal), namespace, serviceAccount } as const;
        return authenticated(
          identity,
          token,
          (key, region) => `${key} ${region}`,
          (region) =>
            assumeRoleWithWebIdentity(identity, token, deps.sts(region, identityKey(identity)), deps.deadline()),
        );
      }
      const token = tokenFor(tokens, POD_IDENTITY_AUDIENCE);
      const identity = { kind: 'pod-identity', pod } as const;
      const { addressType } = authentication;
      return authenticated(
        identity,
        token,
        (key) => key,
        () => credentialsFromAgent(identity, token, addressType, deps.settings, deps.deadline()),
      );
    },
  };
}
