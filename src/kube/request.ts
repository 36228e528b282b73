import { RESOURCES, type Resource } from './resources.ts';

/** One object to read. */
export interface Lookup {
  readonly resource: Resource;
  /** Absent for nodes. */
  readonly namespace?: string;
  readonly name: string;
  /** What to do where it may not be read; absent means: allow it. */
  readonly remedy?: string;
}

/** What is done, as the API server's own verbs, but for the two kinds of patch. */
export type Verb = keyof typeof VERBS;

/**
 * One request. It may reach the server twice (a kept connection that drops says nothing of what arrived), so a write has a
 * precondition or a fixed name, or it harms nobody when done again.
 */
export interface KubeRequest extends Omit<Lookup, 'name'> {
  readonly verb: Verb;
  /** Absent for lists. */
  readonly name?: string;
  /** Below the named object. */
  readonly subresource?: 'token';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Statuses that are an answer for the caller too, and no failure. */
  readonly accepts?: readonly number[];
  /** Longest answer that is read; absent means: as long as an object may be. */
  readonly maxBytes?: number;
}

/** `deed` is what messages call it, `allow` what a ClusterRole has to name. An apply may create. */
export const VERBS = {
  get: { method: 'GET', deed: 'read', allow: '"get"' },
  list: { method: 'GET', deed: 'list', allow: '"list"' },
  create: { method: 'POST', deed: 'create', allow: '"create"', contentType: 'application/json' },
  apply: { method: 'PATCH', deed: 'apply', allow: '"create" and "patch"', contentType: 'application/apply-patch+yaml' },
  merge: { method: 'PATCH', deed: 'change', allow: '"patch"', contentType: 'application/merge-patch+json' },
  delete: { method: 'DELETE', deed: 'delete', allow: '"delete"', contentType: 'application/json' },
} as const satisfies Record<string, VerbInfo>;

interface VerbInfo {
  readonly method: string;
  readonly deed: string;
  readonly allow: string;
  readonly contentType?: string;
}

/** Path and query. */
export function pathOf({ verb, resource, namespace, name, subresource, query }: KubeRequest): string {
  // A new object is named in the body, unless it is one below another.
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
