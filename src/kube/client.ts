import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import { createLimiter, type Limiter } from '../concurrency/limiter.ts';
import { unlessAborted } from '../concurrency/cancellation.ts';
import { type Access, type AccessSource, lazyAccess } from './access.ts';
import { MAX_OBJECT_BYTES, withBody } from './answer-body.ts';
import type { ApiObject } from './api-object.ts';
import { readStatus, refusal, unreachable } from './errors.ts';
import { type KubeRequest, pathOf, VERBS } from './request.ts';
import type { Resource } from './resources.ts';
import type { KubeSettings } from './settings.ts';

/** A response of the API server: the object, or any body if the status is an accepted one. */
export interface Answer<Shape extends ApiObject> {
  readonly status: number;
  readonly object: Shape;
  /** Length of the body. */
  readonly bytes: number;
}

/**
 * A client of the API server. Calls end with the signal, or at the deadline of the settings.
 * @throws ProviderError with a message of `errors.ts`, or the signal's reason
 */
export interface Kube extends Disposable {
  /** The clock for everything that uses this client. */
  readonly clock: Clock;
  /** `Shape` has the fields that the caller uses. */
  ask<Shape extends ApiObject>(request: KubeRequest, signal?: AbortSignal): Promise<Answer<Shape>>;
}

/**
 * Numbers of connections. They are few, because each costs a TLS handshake. What a mount waits for (pod, class, role, region, token) has connections of its
 * own, so that a mass of Secrets to write does not delay it.
 */
const CONNECTIONS = { 'for mounts': 4, 'for the rest': 8 } as const;
const FOR_MOUNTS: ReadonlySet<Resource> = new Set(['serviceaccounts', 'nodes', 'pods', 'secretproviderclasses']);

/** Connects lazily: with Pod Identity and a region in the class, the API server is not needed at all. */
export function openKube(
  settings: KubeSettings,
  findAccess: AccessSource = lazyAccess(settings.kubeconfig),
  clock: Clock = SYSTEM_CLOCK,
): Kube {
  const pools = {
    'for mounts': openPool(CONNECTIONS['for mounts']),
    'for the rest': openPool(CONNECTIONS['for the rest']),
  };
  const closed = new AbortController();

  async function ask<Shape extends ApiObject>(request: KubeRequest, signal?: AbortSignal): Promise<Answer<Shape>> {
    const stop = AbortSignal.any([closed.signal, ...(signal === undefined ? [] : [signal])]);
    const deadline = clock.timeout(settings.timeoutMs);
    const ends = AbortSignal.any([stop, deadline]);
    try {
      const access = await unlessAborted(findAccess(), ends);
      const isForMount = FOR_MOUNTS.has(request.resource) && request.verb !== 'list';
      const pool = pools[isForMount ? 'for mounts' : 'for the rest'];
      // Fair queueing by namespace: one with many requests does not delay the others.
      const party = [request.namespace ?? ''];
      return await pool.limiter.run(
        { lane: 'API server', party },
        async () => {
          const response = await send(access, pool, request, ends);
          const { maxBytes = MAX_OBJECT_BYTES } = request;
          return await withBody(response, { maxBytes, party, signal: ends }, (body) => {
            const status = response.statusCode ?? 0;
            if ((status < 200 || status > 299) && request.accepts?.includes(status) !== true) {
              throw refusal(request, status, readStatus(body.toString()));
            }
            return { status, object: readObject(body.toString()) as Shape, bytes: body.byteLength };
          });
        },
        ends,
      );
    } catch (error) {
      if (stop.aborted) {
        throw ProviderError.from(stop.reason);
      }
      throw error instanceof ProviderError
        ? error
        : unreachable(request, error, deadline.aborted ? settings.timeoutMs : undefined);
    }
  }

  return {
    clock,
    ask,
    [Symbol.dispose]() {
      closed.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      for (const { https, http } of Object.values(pools)) {
        https.destroy();
        http.destroy();
      }
    },
  };
}

function send(
  { server, options }: Access,
  pool: Pool,
  what: KubeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const secure = server.protocol === 'https:';
  const verb = VERBS[what.verb];
  const request = (secure ? httpsRequest : httpRequest)(
    new URL(`${server.pathname.replace(/\/$/, '')}${pathOf(what)}`, server),
    { agent: secure ? pool.https : pool.http, ...options, method: verb.method, signal },
  );
  let hasAnswer = false;
  request.on('response', (response) => {
    hasAnswer = true;
    resolve(response);
  });
  request.on('error', (error) => {
    // A load balancer may have closed an idle connection silently, so the request is sent again. If the response has begun, its reader gets the error.
    if (request.reusedSocket && !hasAnswer && !signal.aborted) {
      resolve(send({ server, options }, pool, what, signal));
    } else {
      reject(error);
    }
  });
  if (what.body !== undefined && 'contentType' in verb) {
    const body = Buffer.from(JSON.stringify(what.body));
    request.setHeader('content-type', verb.contentType);
    // Node omits this header for DELETE, and the server would read the body as the next request on the connection.
    request.setHeader('content-length', body.byteLength);
    request.end(body);
  } else {
    request.end();
  }
  return promise;
}

/** A connection pool with a fair limiter. */
interface Pool {
  readonly https: HttpsAgent;
  readonly http: HttpAgent;
  readonly limiter: Limiter;
}

function openPool(connections: number): Pool {
  const settings = { keepAlive: true, maxSockets: connections, timeout: 60_000 };
  return { https: new HttpsAgent(settings), http: new HttpAgent(settings), limiter: createLimiter(connections) };
}

/** Replaces the SyntaxError, which quotes the text and so may quote a Secret. */
function readObject(body: string): ApiObject {
  try {
    return JSON.parse(body) as ApiObject;
  } catch {
    throw new Error('its answer is not JSON');
  }
}
