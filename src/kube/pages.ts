import { ProviderError } from '../model/errors.ts';
import { AnswerTooLong, MAX_OBJECT_BYTES } from './answer-body.ts';
import type { ApiList, ApiObject } from './api-object.ts';
import type { Answer, Kube } from './client.ts';
import type { KubeRequest } from './request.ts';

/** Maximum number of objects per page. */
const MAX_LIMIT = 100;
/** Maximum size of a page with more than one object; it takes some tens of milliseconds to parse. */
const MAX_PAGE_BYTES = 4 * 2 ** 20;

export interface ListRequest<Kept> extends Pick<KubeRequest, 'resource' | 'namespace' | 'query'> {
  /** Extracts the part of an object to keep; undefined skips the object. */
  keep(object: ApiObject): Kept | undefined;
  /** Whether the list may be some seconds old. */
  readonly mayBeOld?: boolean;
}

/**
 * Lists objects of any number and size page by page, and keeps only the extracted parts. If large objects make a page too long, it is requested again with
 * fewer objects.
 * @throws ProviderError KubernetesUnavailable, or the signal's reason
 */
export async function listAll<Kept>(
  kube: Kube,
  request: ListRequest<Kept>,
  signal: AbortSignal,
): Promise<readonly Kept[]> {
  if (request.mayBeOld === true) {
    // Read from the API server's cache, which avoids a scan of all pods in etcd. Many versions do not support pages there and return all objects at once, so a
    // result that is too long is requested again, in pages from etcd.
    const whole = await listPage(kube, request, { limit: MAX_LIMIT, resourceVersion: '0' }, signal);
    if (whole !== 'too long' && !whole.object.metadata?.continue) {
      return kept(whole, request);
    }
  }
  return await listPages(kube, request, signal);
}

async function listPages<Kept>(kube: Kube, request: ListRequest<Kept>, signal: AbortSignal): Promise<readonly Kept[]> {
  const all: Kept[] = [];
  let limit = MAX_LIMIT;
  let from: string | undefined;
  let isSecondTry = false;
  for (;;) {
    const page = await listPage(kube, request, { limit, ...(from !== undefined && { continue: from }) }, signal);
    if (page === 'too long') {
      limit = Math.max(1, Math.floor(limit / 5));
      continue;
    }
    if (page.status === 410) {
      if (isSecondTry) {
        throw new ProviderError(
          'KubernetesUnavailable',
          `cannot list ${request.resource}: the API server let the continue token of the list expire twice (410)`,
        );
      }
      // etcd has compacted the revision of the list.
      isSecondTry = true;
      all.length = 0;
      from = undefined;
      continue;
    }
    all.push(...kept(page, request));
    from = page.object.metadata?.continue;
    if (!from) {
      return all;
    }
    limit = limitFor(page);
  }
}

/** @returns `too long` if a page with fewer objects may fit */
async function listPage(
  kube: Kube,
  { resource, namespace, query }: Omit<ListRequest<unknown>, 'keep'>,
  { limit, ...more }: { readonly limit: number; readonly continue?: string; readonly resourceVersion?: string },
  signal: AbortSignal,
): Promise<Answer<ApiList<ApiObject>> | 'too long'> {
  try {
    return await kube.ask<ApiList<ApiObject>>(
      {
        verb: 'list',
        resource,
        ...(namespace !== undefined && { namespace }),
        query: { ...query, limit: String(limit), ...more },
        accepts: more.continue === undefined ? [] : [410],
        maxBytes: limit === 1 ? MAX_OBJECT_BYTES : MAX_PAGE_BYTES,
      },
      signal,
    );
  } catch (error) {
    if (limit > 1 && error instanceof ProviderError && error.cause instanceof AnswerTooLong) {
      return 'too long';
    }
    throw error;
  }
}

/** The number of objects that would fill half a page, estimated from the last page. */
function limitFor({ object, bytes }: Answer<ApiList<ApiObject>>): number {
  const mean = bytes / Math.max(1, object.items?.length ?? 0);
  return Math.min(MAX_LIMIT, Math.max(1, Math.floor(MAX_PAGE_BYTES / 2 / mean)));
}

function kept<Kept>(
  { object }: Answer<ApiList<ApiObject>>,
  { keep }: Pick<ListRequest<Kept>, 'keep'>,
): readonly Kept[] {
  return (object.items ?? []).flatMap((item) => keep(item) ?? []);
}
