import { ProviderError } from '../model/errors.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { createCache } from '../concurrency/cache.ts';
import { createSharedLookup } from '../concurrency/shared-lookup.ts';
import type { Kube } from './client.ts';
import { getObject } from './get.ts';

/** Long enough for all mounts at the start of a node, and short enough for a user who has just changed the annotation. */
const GOOD_FOR_MS = 60_000;

/** After a failure the last known role is used for this long, so that not every mount waits for an API server that is down. */
const OUTAGE_MS = 5_000;

/** The annotation that EKS's pod identity webhook reads. */
const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** More than the pods of a node have. The least recently used one is evicted. */
const MAX_KEPT = 1_000;

/** Maximum characters of an ARN in AWS. */
const MAX_ARN = 2_048;

/** @throws ProviderError RoleMissing, KubernetesUnavailable, or the signal's reason */
export type RoleOf = (pod: PodRef, signal: AbortSignal) => Promise<string>;

/** Looks up the IAM role of a pod's service account. While the API server is down, the last known role is used. */
export function createRoleLookup(kube: Kube): RoleOf {
  const { clock } = kube;
  const roles = createSharedLookup<string>(clock, { ttlMs: GOOD_FOR_MS, maxEntries: MAX_KEPT });
  const last = createCache<string>(clock, { maxEntries: MAX_KEPT });
  let awayUntil = Number.NEGATIVE_INFINITY;

  return async (pod, signal) => {
    // Names in Kubernetes contain no slash.
    const key = `${pod.namespace}/${pod.serviceAccount}`;
    const known = last.get(key);
    if (known !== undefined && clock.now() < awayUntil) {
      return known;
    }
    try {
      const role = await roles(key, () => readRole(kube, pod), signal);
      last.set(key, role);
      return role;
    } catch (error) {
      if (known !== undefined && error instanceof ProviderError && error.reason === 'KubernetesUnavailable') {
        awayUntil = clock.now() + OUTAGE_MS;
        return known;
      }
      last.delete(key);
      throw error;
    }
  };
}

async function readRole(kube: Kube, { namespace, serviceAccount: name }: PodRef): Promise<string> {
  const { metadata } = await getObject(kube, { resource: 'serviceaccounts', namespace, name });
  const role = metadata?.annotations?.[ROLE_ANNOTATION];
  if (!role) {
    throw new ProviderError(
      'RoleMissing',
      `an IAM role must be associated with service account "${namespace}/${name}": annotate it with ${ROLE_ANNOTATION}: <ARN of the role>, or set usePodIdentity: "true" in the class to use EKS Pod Identity`,
    );
  }
  if (role.length > MAX_ARN) {
    throw new ProviderError(
      'RoleMissing',
      `the annotation ${ROLE_ANNOTATION} of service account "${namespace}/${name}" is longer than the ARN of a role can be (${MAX_ARN} characters): set it to the ARN of a role`,
    );
  }
  return role;
}
