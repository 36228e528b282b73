import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import { createLimiter, type Limiter } from '../concurrency/limiter.ts';
import { unlessAborted } from '../concurrency/cancellation.ts';
import { type Access, type AccessSource, inClusterAccess } from './access.ts';
import { MAX_OBJECT_BYTES, withBody } from './answer-body.ts';
import type { ApiObject } from './api-object.ts';
import { readStatus, refusal, unreachable } from './errors.ts';
import { type KubeRequest, type Lookup, pathOf, VERBS } from './request.ts';
import type { Resource } from './resources.ts';
import type { KubeSettings } from './settings.ts';

/** What the API server said: the object, or with an accepted status whatever it sent. */
export interface Answer<Shape extends ApiObject> {
  readonly status: number;
  readonly object: Shape;
  /** Length of the answer. */
  readonly bytes: number;
}

/**
 * All end with the signal, and without one at the deadline of the settings.
 * @throws ProviderError as `errors.ts` words it, or the signal's reason
 */
export interface Kube extends Disposable {
  /** By which all that asks through it tells time. */
  readonly clock: Clock;
  /** One object. `Shape` is what the caller reads of it. */
  get<Shape extends ApiObject>(what: Lookup, signal?: AbortSignal): Promise<Shape>;
  ask<Shape extends ApiObject>(request: KubeRequest, signal?: AbortSignal): Promise<Answer<Shape>>;
}

/**
 * Connections, by what they are for: a storm of requests shares few, as each costs a TLS handshake. What a mount waits for (its pod and class, roles,
 * regions, tokens) has its own, so that no crowd of Secrets to write is in its way.
 */
const CONNECTIONS = { 'for mounts': 4, 'for the rest': 8 } as const;
const FOR_MOUNTS: ReadonlySet<Resource> = new Set(['serviceaccounts', 'nodes', 'pods', 'secretproviderclasses']);

/** Nothing is asked, read or loaded before the first look-up: classes with Pod Identity and a region need no API server at all. */
export function openKube(
  settings: KubeSettings,
  findAccess: AccessSource = accessSource(settings),
  clock: Clock = SYSTEM_CLOCK,
): Kube {
  const lines = {
    'for mounts': openLine(CONNECTIONS['for mounts']),
    'for the rest': openLine(CONNECTIONS['for the rest']),
  };
  const closed = new AbortController();

  async function ask<Shape extends ApiObject>(request: KubeRequest, signal?: AbortSignal): Promise<Answer<Shape>> {
    const stop = AbortSignal.any([closed.signal, ...(signal === undefined ? [] : [signal])]);
    const deadline = clock.timeout(settings.timeoutMs);
    const ends = AbortSignal.any([stop, deadline]);
    try {
      const access = await unlessAborted(findAccess(), ends);
      const isForMount = FOR_MOUNTS.has(request.resource) && request.verb !== 'list';
      const line = lines[isForMount ? 'for mounts' : 'for the rest'];
      // Namespaces take turns, however many requests one of them causes.
      const party = request.namespace ?? '';
      return await line.limiter.run(
        { lane: 'API server', party },
        async () => {
          const response = await send(access, line, request, ends);
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
    async get<Shape extends ApiObject>(what: Lookup, signal?: AbortSignal) {
      return (await ask<Shape>({ verb: 'get', ...what }, signal)).object;
    },
    [Symbol.dispose]() {
      closed.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      for (const { https, http } of Object.values(lines)) {
        https.destroy();
        http.destroy();
      }
    },
  };
}

function send(
  { server, options }: Access,
  line: Line,
  what: KubeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const secure = server.protocol === 'https:';
  const verb = VERBS[what.verb];
  const request = (secure ? httpsRequest : httpRequest)(
    new URL(`${server.pathname.replace(/\/$/, '')}${pathOf(what)}`, server),
    { agent: secure ? line.https : line.http, ...options, method: verb.method, signal },
  );
  let hasAnswer = false;
  request.on('response', (response) => {
    hasAnswer = true;
    resolve(response);
  });
  request.on('error', (error) => {
    // A load balancer may have dropped a kept connection without telling; the next one is newer. An answer that has begun breaks for its reader.
    if (request.reusedSocket && !hasAnswer && !signal.aborted) {
      resolve(send({ server, options }, line, what, signal));
    } else {
      reject(error);
    }
  });
  if (what.body !== undefined && 'contentType' in verb) {
    const body = Buffer.from(JSON.stringify(what.body));
    request.setHeader('content-type', verb.contentType);
    // Node leaves it out for DELETE, and the body would be taken for the connection's next request.
    request.setHeader('content-length', body.byteLength);
    request.end(body);
  } else {
    request.end();
  }
  return promise;
}

/** Connections, and who may use them next. */
interface Line {
  readonly https: HttpsAgent;
  readonly http: HttpAgent;
  readonly limiter: Limiter;
}

function openLine(connections: number): Line {
  const settings = { keepAlive: true, maxSockets: connections, timeout: 60_000 };
  return { https: new HttpsAgent(settings), http: new HttpAgent(settings), limiter: createLimiter(connections) };
}

/** A SyntaxError quotes the text, which may be a Secret's. */
function readObject(body: string): ApiObject {
  try {
    return JSON.parse(body) as ApiObject;
  } catch {
    throw new Error('its answer is not JSON');
  }
}

function accessSource({ kubeconfig }: KubeSettings): AccessSource {
  return (kubeconfig === undefined ? inClusterAccess() : undefined) ?? kubeconfigFile(kubeconfig);
}

/** Loads the heavy package when it is first needed, which in a cluster is never. */
function kubeconfigFile(file: string | undefined): AccessSource {
  let access: AccessSource | undefined;
  return async () => {
    if (access === undefined) {
      const { kubeconfigAccess } = await import('./kubeconfig.ts');
      access = kubeconfigAccess(file);
    }
    return access();
  };
}
