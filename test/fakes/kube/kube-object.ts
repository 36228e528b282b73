/** An object of any API group, as JSON. */
export interface KubeObject {
  /** Absent means v1. */
  readonly apiVersion?: string;
  readonly kind: string;
  readonly metadata: Metadata;
  readonly [field: string]: unknown;
}

export interface Metadata {
  /** Absent for cluster-wide objects. */
  readonly namespace?: string;
  readonly name: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  readonly [field: string]: unknown;
}

interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

/** The object or list of a request's path. */
export interface Target {
  /** Such as /api/v1 or /apis/apps/v1. */
  readonly api: string;
  readonly namespace?: string;
  readonly resource: string;
  readonly name?: string;
  readonly subresource?: string;
}

/** An object's. */
export type Named = Target & { readonly name: string };

const PATH =
  /^(?<api>\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+)(?:\/(?<subresource>[^/]+))?)?$/;

/** @returns undefined for a path that is not of an API */
export function readPath(path: string): Target | undefined {
  const groups = PATH.exec(path)?.groups;
  if (groups === undefined) {
    return undefined;
  }
  const parts = Object.entries(groups).filter(([, value]: [string, string | undefined]) => value !== undefined);
  return Object.fromEntries(
    parts.map(([part, value]) => [part, part === 'api' ? value : decodeURIComponent(value)]),
  ) as {
    api: string;
    resource: string;
  };
}

/** Where an object, or with `name` left out its list, is. */
export function pathTo({ api, namespace, resource, name }: Target): string {
  return [
    api,
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource,
    ...(name === undefined ? [] : [name]),
  ].join('/');
}

export function targetOf({ apiVersion = 'v1', kind, metadata }: KubeObject): Named {
  const { namespace, name } = metadata;
  const lower = kind.toLowerCase();
  return {
    api: apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`,
    ...(namespace !== undefined && { namespace }),
    resource: lower.endsWith('s') ? `${lower}es` : `${lower}s`,
    name,
  };
}
