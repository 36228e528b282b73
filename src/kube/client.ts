import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { ProviderError } from '../errors.ts';
import { type Access, type AccessSource, inClusterAccess } from './access.ts';
import { refusal, unreachable } from './errors.ts';
import type { Lookup } from './lookup.ts';
import type { KubeSettings } from './settings.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** What we read of the API server's objects. */
interface ApiObject {
  readonly metadata?: {
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly nodeName?: string };
}

export interface Kube extends Disposable {
  /**
   * Ends with the signal, and without one at the deadline of the settings.
   * @throws ProviderError RoleMissing (a service account that is not there or may not be read), KubernetesUnavailable, or the signal's reason
   */
  get(what: Lookup, signal?: AbortSignal): Promise<ApiObject>;
}

/** A storm of look-ups shares few connections: each costs a TLS handshake. */
const AGENT = { keepAlive: true, maxSockets: 8, timeout: 60_000 };

/** Nothing is asked, read or loaded before the first look-up: classes with Pod Identity and a region need no API server at all. */
export function openKube(settings: KubeSettings, findAccess: AccessSource = accessSource(settings)): Kube {
  const agents = { 'https:': new HttpsAgent(AGENT), 'http:': new HttpAgent(AGENT) };
  const closed = new AbortController();

  async function get(what: Lookup, signal?: AbortSignal): Promise<ApiObject> {
    const stop = AbortSignal.any([closed.signal, ...(signal === undefined ? [] : [signal])]);
    const deadline = AbortSignal.timeout(settings.timeoutMs);
    const ends = AbortSignal.any([stop, deadline]);
    try {
      const access = await unlessAborted(findAccess(), ends);
      const response = await send(access, pathOf(what), ends);
      const body = await text(response);
      if (response.statusCode !== 200) {
        throw refusal(what, response.statusCode ?? 0, body);
      }
      return JSON.parse(body) as ApiObject;
    } catch (error) {
      if (stop.aborted) {
        throw ProviderError.from(stop.reason);
      }
      throw error instanceof ProviderError
        ? error
        : unreachable(what, error, deadline.aborted ? settings.timeoutMs : undefined);
    }
  }

  function send({ server, options }: Access, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const secure = server.protocol === 'https:';
    const request = (secure ? httpsRequest : httpRequest)(
      new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server),
      { agent: secure ? agents['https:'] : agents['http:'], ...options, signal },
    );
    request.on('response', resolve);
    request.on('error', (error) => {
      // A load balancer may have dropped a kept connection without telling; the next one is newer.
      if (request.reusedSocket && !signal.aborted) {
        resolve(send({ server, options }, path, signal));
      } else {
        reject(error);
      }
    });
    request.end();
    return promise;
  }

  return {
    get,
    [Symbol.dispose]() {
      closed.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      agents['https:'].destroy();
      agents['http:'].destroy();
    },
  };
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

function pathOf({ resource, namespace, name }: Lookup): string {
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `/api/v1${scope}/${resource}/${encodeURIComponent(name)}`;
}
