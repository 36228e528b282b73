import { bare } from '../../text/quote.ts';
import type { PodRef } from '../../model/mount-spec.ts';

/** IRSA: a role that a service account assumes. */
export interface RoleIdentity {
  readonly kind: 'irsa';
  readonly roleArn: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** EKS Pod Identity. The pod is part of the identity, because sessions have tags of the pod, and policies may check them. */
export interface AgentIdentity {
  readonly kind: 'pod-identity';
  readonly pod: PodRef;
}

/** The identity whose permissions are used. Pods with equal identities may share cached values. */
export type Identity = RoleIdentity | AgentIdentity;

/** Describes an identity in a message. */
export function describeIdentity(identity: Identity): string {
  return identity.kind === 'irsa'
    ? `role ${bare(identity.roleArn)} of service account ${identity.namespace}/${identity.serviceAccount}`
    : `Pod Identity association of service account ${identity.pod.namespace}/${identity.pod.serviceAccount}`;
}

/** @returns the account of the role; undefined for Pod Identity, whose association is not known here */
export function accountOf(identity: Identity): string | undefined {
  return identity.kind === 'irsa' ? identity.roleArn.split(':')[4] : undefined;
}

/** Cache key: the same only for equal identities. */
export function identityKey(identity: Identity): string {
  if (identity.kind === 'irsa') {
    return JSON.stringify([identity.kind, identity.roleArn, identity.namespace, identity.serviceAccount]);
  }
  const { namespace, serviceAccount, uid } = identity.pod;
  return JSON.stringify([identity.kind, namespace, serviceAccount, uid]);
}
