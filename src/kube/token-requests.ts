import type { AuthenticationV1TokenRequest } from '@kubernetes/client-node';
import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { createSharedLookup } from '../concurrency/shared-lookup.ts';
import type { Kube } from './client.ts';

const LIFE_SECONDS = 3600;

/** The kubelet renews its own tokens after the same share of their lifetime. */
const RENEWED_AFTER = 0.8;

/** A node runs some hundreds of pods at most, and a pod needs one token, or two. */
const MAX_KEPT = 2_000;

interface Token {
  readonly bytes: SecretBytes;
  readonly lifeMs: number;
}

/**
 * Requests a token of the pod's service account that is bound to the pod, or returns a cached one that is still valid.
 * @throws ProviderError TokenMissing, KubernetesUnavailable, or the signal's reason
 */
export type TokenRequests = (pod: PodRef, audience: string, signal: AbortSignal) => Promise<SecretBytes>;

export function createTokenRequests(kube: Kube): TokenRequests {
  const tokens = createSharedLookup<Token>(
    kube.clock,
    { maxEntries: MAX_KEPT },
    ({ lifeMs }) => lifeMs * RENEWED_AFTER,
  );
  return async (pod, audience, signal) => {
    const key = JSON.stringify([pod.namespace, pod.serviceAccount, pod.name, pod.uid, audience]);
    return (await tokens(key, () => mint(kube, pod, audience), signal)).bytes;
  };
}

async function mint(kube: Kube, { namespace, serviceAccount, name, uid }: PodRef, audience: string): Promise<Token> {
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
