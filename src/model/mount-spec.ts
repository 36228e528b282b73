import type { SecretBytes } from './secret-bytes.ts';

/** The pod that a volume belongs to, as the kubelet says (a pod's author cannot forge these). */
export interface PodRef {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
}

/** Whose turn it is where work for pods is taken in turns: the pods of one service account share theirs. */
export function partyOf({ namespace, serviceAccount }: PodRef): string {
  return `${namespace}/${serviceAccount}`;
}

/** A class's `objectType`. */
export type Store = 'secretsmanager' | 'ssmparameter';

/** What to ask a store for. Secrets Manager: version = VersionId, label = VersionStage. Parameter Store: one of version number, label. */
export interface ObjectSource {
  /** SecretId or parameter name, or an ARN; sent as it is written. */
  readonly name: string;
  readonly version?: string;
  readonly label?: string;
}

/** One `jmesPath` entry: a further file, cut out of the object's JSON. */
export interface Extraction {
  readonly expression: string;
  readonly alias: string;
  readonly path: string;
  readonly mode: number;
}

/** One entry of the class's `objects`, checked. */
export interface ObjectSpec {
  readonly store: Store;
  /** objectName as written: what messages call this object. */
  readonly name: string;
  /** File inside the volume: relative, clean, no `..` element; also the id of its version entry. */
  readonly path: string;
  /** Permission bits, 0 to 0o777. */
  readonly mode: number;
  readonly primary: ObjectSource;
  /** What to ask in the failover region; absent parts are the primary's. */
  readonly failover: ObjectSource;
  readonly extractions: readonly Extraction[];
}

export type AddressType = 'ipv4' | 'ipv6' | 'auto';

/** How the pod proves who it is to AWS. */
export type Authentication =
  | { readonly kind: 'irsa' }
  | { readonly kind: 'pod-identity'; readonly addressType: AddressType };

/** What a class asks for, once parsed. */
export interface ClassSpec {
  /** First the primary, then the failover region where there is one. */
  readonly regions: readonly [string] | readonly [string, string];
  readonly authentication: Authentication;
  readonly objects: readonly ObjectSpec[];
  /** Greatest age of a version check, in milliseconds; absent: the provider's own. */
  readonly pollIntervalMs?: number;
}

/** Token by audience, from the request. AWS verifies them; their being there proves nothing. */
export type ServiceAccountTokens = ReadonlyMap<string, SecretBytes>;

/** All that one Mount call asks for. Past `class/` nobody sees raw attributes. */
export interface MountSpec extends ClassSpec {
  readonly targetPath: string;
  readonly pod: PodRef;
  readonly tokens: ServiceAccountTokens;
}

/** Something wrong in a class, and where. */
export interface Problem {
  readonly message: string;
  /** Parameter it is in. */
  readonly parameter: string;
  /** objectName of the entry, if it is one entry's. */
  readonly object?: string;
  /** Offset into the parameter's text, in UTF-16 units. */
  readonly offset?: number;
  /** How many problems it stands for, where it is not itself one. */
  readonly count?: number;
}
