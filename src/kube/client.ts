import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { ProviderError } from '../errors.ts';
import { unlessAborted } from '../unless-aborted.ts';
import { type Access, type AccessSource, inClusterAccess } from './access.ts';
import type { ApiObject } from './api-object.ts';
import { readStatus, refusal, unreachable } from './errors.ts';
import { type KubeRequest, type Lookup, pathOf, VERBS } from './request.ts';
import type { KubeSettings } from './settings.ts';

/** What the API server said: the object, or with an accepted status whatever it sent. */
export interface Answer<Shape extends ApiObject> {
  readonly status: number;
  readonly object: Shape;
}

/**
 * All end with the signal, and without one at the deadline of the settings.
 * @throws ProviderError as `errors.ts` words it, or the signal's reason
 */
export interface Kube extends Disposable {
  /** One object. `Shape` is what the caller reads of it. */
  get<Shape extends ApiObject>(what: Lookup, signal?: AbortSignal): Promise<Shape>;
  ask<Shape extends ApiObject>(request: KubeRequest, signal?: AbortSignal): Promise<Answer<Shape>>;
}

/** A storm of look-ups shares few connections: each costs a TLS handshake. */
const AGENT = { keepAlive: true, maxSockets: 8, timeout: 60_000 };

/** Nothing is asked, read or loaded before the first look-up: classes with Pod Identity and a region need no API server at all. */
export function openKube(settings: KubeSettings, findAccess: AccessSource = accessSource(settings)): Kube {
  const agents = { 'https:': new HttpsAgent(AGENT), 'http:': new HttpAgent(AGENT) };
  const closed = new AbortController();

  async function ask<Shape extends ApiObject>(request: KubeRequest, signal?: AbortSignal): Promise<Answer<Shape>> {
    const stop = AbortSignal.any([closed.signal, ...(signal === undefined ? [] : [signal])]);
    const deadline = AbortSignal.timeout(settings.timeoutMs);
    const ends = AbortSignal.any([stop, deadline]);
    try {
      const access = await unlessAborted(findAccess(), ends);
      const response = await send(access, request, ends);
      const body = await text(response);
      const status = response.statusCode ?? 0;
      if ((status < 200 || status > 299) && request.accepts?.includes(status) !== true) {
        throw refusal(request, status, readStatus(body));
      }
      return { status, object: readObject(body) as Shape };
    } catch (error) {
      if (stop.aborted) {
        throw ProviderError.from(stop.reason);
      }
      throw error instanceof ProviderError
        ? error
        : unreachable(request, error, deadline.aborted ? settings.timeoutMs : undefined);
    }
  }

  function send({ server, options }: Access, what: KubeRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const secure = server.protocol === 'https:';
    const verb = VERBS[what.verb];
    const request = (secure ? httpsRequest : httpRequest)(
      new URL(`${server.pathname.replace(/\/$/, '')}${pathOf(what)}`, server),
      { agent: secure ? agents['https:'] : agents['http:'], ...options, method: verb.method, signal },
    );
    request.on('response', resolve);
    request.on('error', (error) => {
      // A load balancer may have dropped a kept connection without telling; the next one is newer.
      if (request.reusedSocket && !signal.aborted) {
        resolve(send({ server, options }, what, signal));
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

  return {
    ask,
    async get<Shape extends ApiObject>(what: Lookup, signal?: AbortSignal) {
      return (await ask<Shape>({ verb: 'get', ...what }, signal)).object;
    },
    [Symbol.dispose]() {
      closed.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      agents['https:'].destroy();
      agents['http:'].destroy();
    },
  };
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
