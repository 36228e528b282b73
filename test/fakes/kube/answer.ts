import { badRequest, Failure, notFound } from './failure.ts';
import { collectGarbage } from './garbage-collection.ts';
import { type KubeObject, type Named, pathTo, readPath, type Target, targetOf } from './kube-object.ts';
import { selectorOf } from './selectors.ts';
import type { Preconditions, Storage } from './storage.ts';
import { answerTokenRequest, type TokenRequest } from './token-requests.ts';

export interface ApiRequest {
  readonly method: string;
  readonly url: URL;
  readonly contentType: string;
  readonly body: string;
}

export interface ApiAnswer {
  readonly status: number;
  readonly body: object;
}

/** What requests work on. */
export interface Cluster {
  readonly storage: Storage;
  readonly tokenRequests: TokenRequest[];
  readonly collectsGarbage: boolean;
}

/** @throws Failure for a response other than an object */
export function answer(cluster: Cluster, request: ApiRequest): ApiAnswer {
  const target = readPath(request.url.pathname);
  if (target === undefined) {
    throw new Failure(404, 'NotFound', 'the server could not find the requested resource');
  }
  const { storage } = cluster;
  const manager = request.url.searchParams.get('fieldManager') ?? 'unknown';
  switch (request.method) {
    case 'GET':
      return {
        status: 200,
        body: target.name === undefined ? listed(storage, target, request.url) : storage.get(named(target)),
      };
    case 'POST': {
      const body = bodyOf(request);
      if (target.resource === 'serviceaccounts' && target.subresource === 'token') {
        const { asked, answer: token } = answerTokenRequest(storage, named(target), body);
        cluster.tokenRequests.push(asked);
        return { status: 201, body: token };
      }
      if (typeof body.kind !== 'string') {
        throw badRequest("Object 'Kind' is missing");
      }
      return { status: 201, body: storage.create(target, body, manager) };
    }
    case 'PATCH':
      return patched(storage, named(target), request, manager);
    case 'DELETE': {
      const only = request.body === '' ? {} : (bodyOf(request)['preconditions'] as Preconditions | undefined);
      removeObject(cluster, named(target), only);
      return { status: 200, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } };
    }
    default:
      throw new Failure(405, 'MethodNotAllowed', `the server does not allow ${request.method}`);
  }
}

export function removeObject({ storage, collectsGarbage }: Cluster, target: Named, only?: Preconditions): void {
  const removed = storage.remove(target, only);
  if (collectsGarbage) {
    collectGarbage(storage, removed);
  }
}

function listed(storage: Storage, target: Target, { searchParams }: URL): object {
  const found = storage.list(target).filter(selectorOf(searchParams));
  const kind = `${found[0]?.kind ?? ''}List`;
  const { items, more } = pageOf(found, searchParams);
  return {
    apiVersion: target.api.replace(/^\/apis?\//, ''),
    kind,
    metadata: { resourceVersion: storage.resourceVersion, ...(more !== undefined && { continue: more }) },
    items,
  };
}

/** With version 0 all at once, as kube-apiserver does from its memory whatever the limit. @throws Failure 410 where the list cannot go on */
function pageOf(
  found: readonly KubeObject[],
  query: URLSearchParams,
): { readonly items: readonly KubeObject[]; readonly more?: string } {
  const limit = Number(query.get('limit') ?? 0);
  if (limit === 0 || query.get('resourceVersion') === '0') {
    return { items: found };
  }
  const after = query.get('continue');
  const last = after === null ? -1 : found.findIndex((object) => pathTo(targetOf(object)) === atob(after));
  if (after !== null && last === -1) {
    throw new Failure(
      410,
      'Expired',
      'The provided continue parameter is too old to display a consistent list result.',
    );
  }
  const items = found.slice(last + 1, last + 1 + limit);
  const end = items.at(-1);
  return last + 1 + limit < found.length && end !== undefined
    ? { items, more: btoa(pathTo(targetOf(end))) }
    : { items };
}

function patched(storage: Storage, target: Named, request: ApiRequest, manager: string): ApiAnswer {
  switch (request.contentType) {
    case 'application/merge-patch+json':
      return { status: 200, body: storage.merge(target, bodyOf(request), manager) };
    case 'application/apply-patch+yaml': {
      const { searchParams } = request.url;
      if (!searchParams.has('fieldManager')) {
        throw new Failure(422, 'Invalid', 'fieldManager: Required value: is required for apply patch');
      }
      const force = searchParams.get('force') === 'true';
      const { object, isNew } = storage.apply(target, bodyOf(request), manager, force);
      return { status: isNew ? 201 : 200, body: object };
    }
    default:
      throw new Failure(
        415,
        'UnsupportedMediaType',
        `the body of the request was in an unknown format: ${request.contentType}`,
      );
  }
}

function named(target: Target): Named {
  const { name } = target;
  if (name === undefined) {
    throw notFound(target.resource, '');
  }
  return { ...target, name };
}

function bodyOf({ body }: ApiRequest): KubeObject {
  try {
    return JSON.parse(body) as KubeObject;
  } catch {
    throw badRequest('the body is not JSON');
  }
}
