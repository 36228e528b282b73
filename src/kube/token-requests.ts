import type { AuthenticationV1TokenRequest } from '@kubernetes/client-node';
import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { Kube } from './client.ts';
import { sharedLookup } from './shared-lookup.ts';

const LIFE_SECONDS = 3600;

/** The kubelet renews its own tokens after the same share of their lifetime. */
const RENEWED_AFTER = 0.8;

/** A node runs some hundreds of pods at most, and a pod needs one token, or two. */
const MAX_KEPT = 2_000;

/** Cache key: namespace, service account, pod, uid of the pod, audience. */
type TokenKey = readonly [string, string, string, string, string];

interface Token {
  readonly bytes: SecretBytes;
  readonly lifeMs: number;
}

/**
 * Requests a token of the pod's service account that is bound to the pod, or returns a cached one that is still valid.
 * @throws ProviderError TokenMissing, KubernetesUnavailable, or the signal's reason
 */
export type TokenRequests = (pod: PodRef, audience: string, signal: AbortSignal) => Promise<SecretBytes>;

export function createTokenRequests(kube: Pick<Kube, 'ask' | 'clock'>): TokenRequests {
  async function mint(key: string): Promise<Token> {
    const [namespace, serviceAccount, name, uid, audience] = JSON.parse(key) as TokenKey;
    const { object } = await kube.ask<AuthenticationV1TokenRequest>({
      verb: 'create',
      resource: 'serviceaccounts',
      subresource: 'token',
      namespace,
      name: serviceAccount,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          audiences: [audience],
          expirationSeconds: LIFE_SECONDS,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
        },
      },
      remedy:
        'allow the provider\'s service account to "create" "serviceaccounts/token" by a ClusterRole (the chart makes it: tokenRequest.enabled), ' +
        'or let the driver send tokens: its tokenRequests, with its enableSecretRotation',
    });
    const { spec, status } = object;
    if (!status?.token) {
      throw new ProviderError(
        'TokenMissing',
        `the API server gave no token for service account "${namespace}/${serviceAccount}"`,
      );
    }
    return { bytes: SecretBytes.fromText(status.token), lifeMs: (spec?.expirationSeconds ?? LIFE_SECONDS) * 1000 };
  }

  const tokens = sharedLookup(({ lifeMs }: Token) => lifeMs * RENEWED_AFTER, mint, kube.clock, MAX_KEPT);
  return async ({ namespace, serviceAccount, name, uid }, audience, signal) =>
    (await tokens(JSON.stringify([namespace, serviceAccount, name, uid, audience] satisfies TokenKey), signal)).bytes;
}
