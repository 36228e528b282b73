/** The fields of a Kubernetes Secret that scenarios check. */
export interface SyncedSecret {
  readonly uid: string;
  /** Another one after every write. */
  readonly resourceVersion: string;
  readonly type: string;
  readonly isImmutable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** As text. */
  readonly data: Readonly<Record<string, string>>;
  /** Kinds, in order. */
  readonly owners: readonly string[];
  readonly managers: readonly string[];
}

interface ApiSecret {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly { readonly kind: string }[];
    readonly managedFields?: readonly { readonly manager: string }[];
  };
  readonly type: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
}

/** @param json as kubectl prints it */
export function readSecret(json: string): SyncedSecret {
  const { metadata, type, immutable = false, data = {} }: ApiSecret = JSON.parse(json);
  const { uid, resourceVersion, labels = {}, annotations = {}, ownerReferences = [], managedFields = [] } = metadata;
  return {
    uid,
    resourceVersion,
    type,
    isImmutable: immutable,
    labels,
    annotations,
    data: Object.fromEntries(
      Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]),
    ),
    owners: ownerReferences.map(({ kind }) => kind).toSorted(),
    managers: managedFields.map(({ manager }) => manager),
  };
}
