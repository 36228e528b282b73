import type { SecretBytes } from './secret-bytes.ts';

/** The pod that a volume belongs to, as the kubelet reports it: its author cannot forge these fields. */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
}

/** For fair queueing: the namespace is scheduled first, then the service account in it. */
export function partyOf({
  namespace,
  serviceAccount,
}: Pick<PodRef, 'namespace' | 'serviceAccount'>): readonly [namespace: string, serviceAccount: string] {
  return [namespace, serviceAccount];
}

/** A class's `objectType`. */
export type Store = 'secretsmanager' | 'ssmparameter';

/** Identifies a value in a store. Secrets Manager: version = VersionId, label = VersionStage. Parameter Store: version number or label. */
export interface ObjectSource {
  /** Name of the secret or parameter, or an ARN, as written in the class. */
  readonly name: string;
  readonly version?: string;
  readonly label?: string;
}

/** One `jmesPath` entry: another file, extracted from the object's JSON. */
export interface Extraction {
  readonly expression: string;
  readonly alias: string;
  readonly path: string;
  readonly mode: number;
}

/** One entry of the class's `objects`, checked. */
export interface ObjectSpec {
  readonly store: Store;
  /** objectName as written, for messages. */
  readonly name: string;
  /** File inside the volume: relative, clean, no `..` element; also the id of its version entry. */
  readonly path: string;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly primary: ObjectSource;
  /** Source in the failover region; absent parts are those of the primary. */
  readonly failover: ObjectSource;
  readonly extractions: readonly Extraction[];
}

export type AddressType = 'ipv4' | 'ipv6' | 'auto';

/** How the pod authenticates to AWS. */
export type Authentication =
  | { readonly kind: 'irsa' }
  | { readonly kind: 'pod-identity'; readonly addressType: AddressType };

/** A parsed class. */
export interface ClassSpec {
  /** The primary region, then the failover region if there is one. */
  readonly regions: readonly [string] | readonly [string, string];
  readonly authentication: Authentication;
  readonly objects: readonly ObjectSpec[];
  /** `rotationPollInterval` in milliseconds; absent: the provider's own. */
  readonly pollIntervalMs?: number;
}

/** Tokens of the request by audience. They are not verified; AWS does that. */
export type ServiceAccountTokens = ReadonlyMap<string, SecretBytes>;

/** A parsed Mount call. Raw attributes are not used after this. */
export interface MountSpec extends ClassSpec {
  readonly targetPath: string;
  readonly pod: PodRef;
  readonly tokens: ServiceAccountTokens;
}

/** A problem of a class, with its location. */
export interface Problem {
  readonly message: string;
  /** Name of the parameter. */
  readonly parameter: string;
  /** objectName of the entry, if it concerns one entry. */
  readonly object?: string;
  /** Offset into the parameter's text, in UTF-16 units. */
  readonly offset?: number;
  /** Number of problems that this one summarizes, if any. */
  readonly count?: number;
}
