import type { Clock } from '../../src/concurrency/clock.ts';
import { unlessAborted } from '../../src/concurrency/cancellation.ts';
import type { Answer, Kube } from '../../src/kube/client.ts';
import { refusal, unreachable } from '../../src/kube/errors.ts';
import { type KubeRequest, pathOf, VERBS } from '../../src/kube/request.ts';
import type { ApiObject } from '../../src/kube/api-object.ts';
import { ProviderError } from '../../src/model/errors.ts';
import { answer, removeObject } from '../fakes/kube/answer.ts';
import { Failure } from '../fakes/kube/failure.ts';
import { type KubeObject, readPath, type Target, targetOf } from '../fakes/kube/kube-object.ts';
import { createStorage } from '../fakes/kube/storage.ts';
import type { Random } from '../fakes/random.ts';
import type { Process } from './process.ts';

/** Refuses connections, does not answer, or answers what never arrives. */
export type ApiFault = 'refuses' | 'hangs' | 'loses answers';

/** One request that was carried out. */
interface ApiCall {
  readonly at: number;
  readonly node: string;
  readonly verb: string;
  readonly resource: string;
}

/** An API server and its garbage collector. */
export interface ApiServerModel {
  readonly calls: readonly ApiCall[];
  fault: ApiFault | undefined;
  /** When a fault last began or ended. */
  readonly faultChangedAt: number;
  put(object: KubeObject): KubeObject;
  find(path: string): KubeObject | undefined;
  remove(path: string): void;
  all(): readonly KubeObject[];
  /** Of the latest write. */
  readonly version: string;
  /** @param onWrite is told of each object that the node has written, or deleted: then with `isDeleted` */
  kubeFor(node: string, process: Process, onWrite: (object: KubeObject) => void): Kube;
}

const TIMEOUT_MS = 10_000;
const LONGEST_LAG_MS = 3_000;

export function createApiServerModel(clock: Clock, random: Random): ApiServerModel {
  const cluster = { storage: createStorage(), tokenRequests: [], collectsGarbage: true };
  const calls: ApiCall[] = [];
  /** By uid, of what users and controllers have made. */
  const addedAt = new Map<string, number>();
  let fault: ApiFault | undefined;
  let faultChangedAt = Number.NEGATIVE_INFINITY;

  /** Lists may be some seconds old, as those of an API server that answers from its cache. */
  function staleList(list: ApiObject): ApiObject {
    const asOf = clock.now() - random.int(0, LONGEST_LAG_MS);
    const items = (list as { readonly items?: readonly KubeObject[] }).items ?? [];
    const known = items.filter(({ metadata }) => (addedAt.get(metadata.uid ?? '') ?? 0) <= asOf);
    return { ...list, items: known } as ApiObject;
  }

  function find(path: string): KubeObject | undefined {
    const { name, ...target } = readPath(path) ?? {};
    try {
      return name === undefined ? undefined : cluster.storage.get({ ...(target as Target), name });
    } catch {
      return undefined;
    }
  }

  function carryOut(request: KubeRequest): { readonly status: number; readonly object: ApiObject } {
    const verb = VERBS[request.verb];
    try {
      const { status, body } = answer(cluster, {
        method: verb.method,
        url: new URL(pathOf(request), 'http://api'),
        contentType: 'contentType' in verb ? verb.contentType : '',
        body: request.body === undefined ? '' : JSON.stringify(request.body),
      });
      const object = structuredClone(body) as ApiObject;
      return { status, object: request.verb === 'list' ? staleList(object) : object };
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      const { status, message, reason, details } = error;
      return { status, object: { message, reason, details } as ApiObject };
    }
  }

  return {
    calls,
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
      faultChangedAt = clock.now();
    },
    get faultChangedAt() {
      return faultChangedAt;
    },
    put(object) {
      const stored = cluster.storage.put(object, 'kubectl');
      const { uid = '' } = stored.metadata;
      addedAt.set(uid, addedAt.get(uid) ?? clock.now());
      return stored;
    },
    find,
    remove(path) {
      const object = find(path);
      if (object !== undefined) {
        removeObject(cluster, targetOf(object));
      }
    },
    all: () => cluster.storage.all(),
    get version() {
      return cluster.storage.resourceVersion;
    },

    kubeFor(node, process, onWrite) {
      async function ask<Shape extends ApiObject>(request: KubeRequest): Promise<Answer<Shape>> {
        await process.clock.sleep(random.int(1, 10));
        if (fault === 'refuses') {
          throw unreachable(request, new Error('connect ECONNREFUSED'));
        }
        if (fault === 'hangs') {
          await process.clock.sleep(TIMEOUT_MS);
          throw unreachable(request, new Error(), TIMEOUT_MS);
        }
        const before = request.verb === 'delete' ? find(new URL(pathOf(request), 'http://api').pathname) : undefined;
        const { status, object } = carryOut(request);
        calls.push({ at: clock.now(), node, verb: request.verb, resource: request.resource });
        if (before !== undefined && status === 200) {
          onWrite({ ...before, isDeleted: true });
        } else if (request.verb !== 'get' && request.verb !== 'list') {
          onWrite(object as ApiObject & KubeObject);
        }
        await process.clock.sleep(random.int(1, 10));
        if (fault === 'loses answers' && random.next() < 0.5) {
          throw unreachable(request, new Error('socket hang up'));
        }
        if ((status < 200 || status > 299) && request.accepts?.includes(status) !== true) {
          throw refusal(request, status, object as never);
        }
        return { status, object: object as Shape, bytes: 1_000 };
      }

      async function askUnlessAborted<Shape extends ApiObject>(
        request: KubeRequest,
        signal: AbortSignal = new AbortController().signal,
      ): Promise<Answer<Shape>> {
        try {
          return await process.awaken(unlessAborted(ask<Shape>(request), signal));
        } catch (error) {
          throw signal.aborted ? ProviderError.from(signal.reason) : error;
        }
      }

      return {
        clock: process.clock,
        ask: askUnlessAborted,
        [Symbol.dispose]: () => undefined,
      };
    },
  };
}
