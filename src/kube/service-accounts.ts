import { ProviderError } from '../model/errors.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { Kube } from './client.ts';
import { sharedLookup } from './shared-lookup.ts';

/** Long enough for a node's storm of mounts, short enough for somebody who has just changed the annotation. */
const GOOD_FOR_MS = 60_000;

/** While it is away, not every mount waits for the API server in turn. */
const AWAY_MS = 5_000;

/** As EKS's pod identity webhook reads it. */
const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** Service accounts of a node's pods, with room to spare; past it the one that was asked for longest ago goes. */
const MAX_KEPT = 1_000;

/** Characters of an ARN that AWS takes. */
const MAX_ARN = 2_048;

/** @throws ProviderError RoleMissing, KubernetesUnavailable, or the signal's reason */
export type RoleOf = (pod: PodRef, signal: AbortSignal) => Promise<string>;

/** The IAM role that a pod's service account names; while the API server is away, the one that it last named. */
export function createRoleLookup(kube: Pick<Kube, 'get' | 'clock'>): RoleOf {
  const roles = sharedLookup(
    GOOD_FOR_MS,
    async (key) => {
      const [namespace = '', name = ''] = key.split('/');
      const { metadata } = await kube.get({ resource: 'serviceaccounts', namespace, name });
      const role = metadata?.annotations?.[ROLE_ANNOTATION];
      if (!role) {
        throw new ProviderError(
          'RoleMissing',
          `an IAM role must be associated with service account "${key}": annotate it with ${ROLE_ANNOTATION}: <ARN of the role>, or set usePodIdentity: "true" in the class to use EKS Pod Identity`,
        );
      }
      if (role.length > MAX_ARN) {
        throw new ProviderError(
          'RoleMissing',
          `the annotation ${ROLE_ANNOTATION} of service account "${key}" is longer than the ARN of a role can be (${MAX_ARN} characters): set it to the ARN of a role`,
        );
      }
      return role;
    },
    kube.clock,
    MAX_KEPT,
  );
  const last = new Map<string, string>();
  let awayUntil = Number.NEGATIVE_INFINITY;

  return async (pod, signal) => {
    // A name of Kubernetes holds no slash.
    const key = `${pod.namespace}/${pod.serviceAccount}`;
    const known = last.get(key);
    if (known !== undefined && kube.clock.now() < awayUntil) {
      return known;
    }
    try {
      const role = await roles(key, signal);
      last.delete(key);
      last.set(key, role);
      for (const oldest of [...last.keys()].slice(0, Math.max(0, last.size - MAX_KEPT))) {
        last.delete(oldest);
      }
      return role;
    } catch (error) {
      if (known !== undefined && error instanceof ProviderError && error.reason === 'KubernetesUnavailable') {
        awayUntil = kube.clock.now() + AWAY_MS;
        return known;
      }
      last.delete(key);
      throw error;
    }
  };
}
