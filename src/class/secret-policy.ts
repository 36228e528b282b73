import { quote } from '../text/quote.ts';

/*
 * What a class may make of a Secret by its type, labels and annotations. Controllers act upon some of these with their own power: who may write a
 * class would have that power, though he may write no Secret.
 */

export interface SecretPolicy {
  /** Types; `*` is every type that no controller acts upon. */
  readonly allowedTypes: readonly string[];
  /** Domains of labels and annotations, each with those below it; after a `!` one that is allowed all the same. */
  readonly deniedMetadata: readonly string[];
}

/** In a list of denied domains: all of `DENIED_DOMAINS`. */
export const DEFAULT_DOMAINS = 'default';

/** Of Kubernetes itself, and of controllers that copy, own, delete or act upon what bears their mark. */
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

/** Types of Kubernetes that nothing but their readers goes by. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([
  'kubernetes.io/tls',
  'kubernetes.io/dockerconfigjson',
  'kubernetes.io/dockercfg',
  'kubernetes.io/basic-auth',
  'kubernetes.io/ssh-auth',
]);
/** Whose types controllers act upon: tokens of service accounts and of nodes, releases, clusters. */
const POWERFUL_DOMAINS: readonly string[] = ['kubernetes.io', 'k8s.io', 'x-k8s.io', 'helm.sh'];
const HELM_RELEASE = 'helm.sh/release.v1';
/** On all Secrets of ours anyway. */
const OWN_LABEL = 'secrets-store.csi.k8s.io/managed';

const TYPES_SETTING = 'the setting syncSecret.allowedTypes (--sync-secret-allowed-types)';
const METADATA_SETTING = 'the setting syncSecret.deniedMetadata (--sync-secret-denied-metadata)';

export const DEFAULT_POLICY: SecretPolicy = { allowedTypes: ['*'], deniedMetadata: [DEFAULT_DOMAINS] };

/** Why a class may not have it, and which setting allows it; undefined where it may. */
export function forbiddenType(type: string, { allowedTypes }: SecretPolicy): string | undefined {
  const isAllowed = allowedTypes.includes(type) || (allowedTypes.includes('*') && !isPowerful(type));
  return isAllowed
    ? undefined
    : `a Secret of type ${quote(type)} is not allowed here: take another type, or have ${quote(type)} added to ${TYPES_SETTING}`;
}

/** As `forbiddenType`, of one label or annotation. */
export function forbiddenMetadata(
  field: 'labels' | 'annotations',
  key: string,
  value: string,
  policy: SecretPolicy,
): string | undefined {
  if (field === 'labels' && key === OWN_LABEL) {
    return undefined;
  }
  // Helm finds its releases by this label, whatever their type.
  if (field === 'labels' && key === 'owner' && value === 'helm' && !policy.allowedTypes.includes(HELM_RELEASE)) {
    return `the label owner: helm makes a release of it and is not allowed here: leave it out, or have ${quote(HELM_RELEASE)} added to ${TYPES_SETTING}`;
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
