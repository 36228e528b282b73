import { bare } from '../../text/quote.ts';
import type { PodRef } from '../../model/mount-spec.ts';

/** IRSA: a role, assumed for a service account. */
export interface RoleIdentity {
  readonly kind: 'irsa';
  readonly roleArn: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** EKS Pod Identity. The sessions carry tags of the pod, which policies may ask for: so the pod is part of it. */
export interface AgentIdentity {
  readonly kind: 'pod-identity';
  readonly pod: PodRef;
}

/** Whose permissions are used. Two pods with equal identities may share what AWS gave one of them. */
export type Identity = RoleIdentity | AgentIdentity;

/** The identity in a message. */
export function describeIdentity(identity: Identity): string {
  return identity.kind === 'irsa'
    ? `role ${bare(identity.roleArn)} of service account ${identity.namespace}/${identity.serviceAccount}`
    : `Pod Identity association of service account ${identity.pod.namespace}/${identity.pod.serviceAccount}`;
}

/** Account of the role; a Pod Identity association does not tell. */
export function accountOf(identity: Identity): string | undefined {
  return identity.kind === 'irsa' ? identity.roleArn.split(':')[4] : undefined;
}

/** Equal for equal identities and for no others: what caches are keyed by. */
export function identityKey(identity: Identity): string {
  if (identity.kind === 'irsa') {
    return JSON.stringify([identity.kind, identity.roleArn, identity.namespace, identity.serviceAccount]);
  }
  const { namespace, serviceAccount, uid } = identity.pod;
  return JSON.stringify([identity.kind, namespace, serviceAccount, uid]);
}
