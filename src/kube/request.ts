import { RESOURCES, type Resource } from './resources.ts';

/** Verbs of the API server, with two kinds of patch. */
type Verb = keyof typeof VERBS;

/**
 * One request. It may reach the server twice, because it is repeated if an idle connection turns out to be closed. So every write must have a precondition or
 * a fixed name, or be idempotent.
 */
export interface KubeRequest {
  readonly verb: Verb;
  readonly resource: Resource;
  /** Absent for nodes, and for lists of all namespaces. */
  readonly namespace?: string;
  /** Absent for lists. */
  readonly name?: string;
  /** Remedy for 403 in the error message; absent: the permission to grant. */
  readonly remedy?: string;
  /** Subresource of the named object. */
  readonly subresource?: 'token';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** HTTP statuses besides 2xx that do not throw. */
  readonly accepts?: readonly number[];
  /** Maximum length of the response; absent: that of an object. */
  readonly maxBytes?: number;
}

/** `description` is the verb in messages, `allow` the verbs in a ClusterRole. An apply may create an object, so it needs both. */
export const VERBS = {
  get: { method: 'GET', description: 'read', allow: '"get"' },
  list: { method: 'GET', description: 'list', allow: '"list"' },
  create: { method: 'POST', description: 'create', allow: '"create"', contentType: 'application/json' },
  apply: {
    method: 'PATCH',
    description: 'apply',
    allow: '"create" and "patch"',
    contentType: 'application/apply-patch+yaml',
  },
  merge: { method: 'PATCH', description: 'change', allow: '"patch"', contentType: 'application/merge-patch+json' },
  delete: { method: 'DELETE', description: 'delete', allow: '"delete"', contentType: 'application/json' },
} as const satisfies Record<string, VerbInfo>;

interface VerbInfo {
  readonly method: string;
  readonly description: string;
  readonly allow: string;
  readonly contentType?: string;
}

/** The path with the query. */
export function pathOf({ verb, resource, namespace, name, subresource, query }: KubeRequest): string {
  // The name of a new object is in its body, except for subresources.
  const isNamed = name !== undefined && (verb !== 'create' || subresource !== undefined);
  const segments = [
    ...(namespace === undefined ? [] : ['namespaces', namespace]),
    resource,
    ...(isNamed ? [name] : []),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  const path = `${RESOURCES[resource].api}/${segments.map(encodeURIComponent).join('/')}`;
  return query === undefined ? path : `${path}?${new URLSearchParams(query).toString()}`;
}
