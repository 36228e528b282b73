import { quote } from '../text/quote.ts';

/*
 * Types, labels and annotations of Secrets that a class may use. Controllers act upon some of these with their own permissions. Without this policy, a user who
 * may write classes but no Secrets could gain those permissions.
 */

export interface SecretPolicy {
  /** Allowed types; `*` is every type that no controller acts upon. */
  readonly allowedTypes: readonly string[];
  /** Denied domains of labels and annotations with their subdomains; `!` marks an exception. */
  readonly deniedMetadata: readonly string[];
}

/** In a list of denied domains, stands for `DENIED_DOMAINS`. */
const DEFAULT_DOMAINS = 'default';

/** Domains of Kubernetes, and of controllers that copy, own, delete or act upon objects with their labels or annotations. */
const DENIED_DOMAINS: readonly string[] = [
  'kubernetes.io',
  'k8s.io',
  'x-k8s.io',
  'helm.sh',
  'argoproj.io',
  'akuity.io',
  'fluxcd.io',
  'weave.works',
  'cattle.io',
  'rancher.io',
  'openshift.io',
  'open-cluster-management.io',
  'karmada.io',
  'crossplane.io',
  'kyverno.io',
  'velero.io',
  'istio',
  'istio.io',
  'cert-manager.io',
  'external-secrets.io',
  'bitnami.com',
  'emberstack.com',
  'mittwald.de',
  'appscode.com',
  'clustersecret.io',
];

/** Types of Kubernetes that no controller acts upon. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([
  'kubernetes.io/tls',
  'kubernetes.io/dockerconfigjson',
  'kubernetes.io/dockercfg',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
]);
/** Domains of types that controllers act upon: tokens of service accounts and of nodes, releases, clusters. */
const POWERFUL_DOMAINS: readonly string[] = ['kubernetes.io', 'k8s.io', 'x-k8s.io', 'helm.sh'];
const HELM_RELEASE = 'helm.sh/release.v1';
/** Set on all Secrets of this provider anyway. */
const OWN_LABEL = 'secrets-store.csi.k8s.io/managed';

const TYPES_SETTING = 'the setting syncSecret.allowedTypes (--sync-secret-allowed-types)';
const METADATA_SETTING = 'the setting syncSecret.deniedMetadata (--sync-secret-denied-metadata)';

export const DEFAULT_POLICY: SecretPolicy = { allowedTypes: ['*'], deniedMetadata: [DEFAULT_DOMAINS] };

/** @returns why a class may not use the type, and which setting allows it; undefined if it may */
export function forbiddenType(type: string, { allowedTypes }: SecretPolicy): string | undefined {
  const isAllowed = allowedTypes.includes(type) || (allowedTypes.includes('*') && !isPowerful(type));
  return isAllowed
    ? undefined
    : `a Secret of type ${quote(type)} is not allowed here: use another type, or have ${quote(type)} added to ${TYPES_SETTING}`;
}

/** Like `forbiddenType`, for one label or annotation. */
export function forbiddenMetadata(
  field: 'labels' | 'annotations',
  key: string,
  value: string,
  policy: SecretPolicy,
): string | undefined {
  if (field === 'labels' && key === OWN_LABEL) {
    return undefined;
  }
  // Helm finds its releases by this label, even without their type.
  if (field === 'labels' && key === 'owner' && value === 'helm' && !policy.allowedTypes.includes(HELM_RELEASE)) {
    return `the label owner: helm marks the Secret as a Helm release, which is not allowed here: leave it out, or have ${quote(HELM_RELEASE)} added to ${TYPES_SETTING}`;
  }
  const domain = domainOf(key);
  if (domain === undefined || !isDenied(domain, policy.deniedMetadata)) {
    return undefined;
  }
  return `${quote(key)} in ${field} is not allowed here, as controllers act upon it: leave it out, or have ${quote(`!${domain}`)} added to ${METADATA_SETTING}`;
}

function isPowerful(type: string): boolean {
  const domain = domainOf(type);
  return domain !== undefined && isBelow(domain, POWERFUL_DOMAINS) && !PLAIN_TYPES.has(type);
}

function isDenied(domain: string, denied: readonly string[]): boolean {
  const exceptions = denied.filter((entry) => entry.startsWith('!')).map((entry) => entry.slice(1));
  const domains = denied.flatMap((entry) => (entry === DEFAULT_DOMAINS ? DENIED_DOMAINS : [entry]));
  return isBelow(domain, domains) && !isBelow(domain, exceptions);
}

/** @returns undefined for a name without one */
function domainOf(key: string): string | undefined {
  const end = key.indexOf('/');
  return end === -1 ? undefined : key.slice(0, end).toLowerCase();
}

function isBelow(domain: string, parents: readonly string[]): boolean {
  return parents.some((parent) => domain === parent || domain.endsWith(`.${parent}`));
}
