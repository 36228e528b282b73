import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { AwsSettings } from './settings.ts';

/** The connections to AWS: one pool a process, shared by every service, region and identity. */
export interface Transport extends Disposable {
  readonly requestHandler: NonNullable<SecretsManagerClientConfig['requestHandler']>;
}

/** Above what the limiters of fetch.ts let through to one host: a request that waits here would count as one that cannot connect. */
const MAX_SOCKETS = 128;

/** Ours to close first: a request on a connection that the other side just gave up costs a retry. */
const IDLE_MS = 50_000;

/** @param waitMs for which a service may keep a request waiting before it is late */
export function openTransport(settings: AwsSettings, waitMs = 0): Transport {
  const agent = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    timeout: IDLE_MS,
    proxyEnv: proxyEnv(settings.proxy),
  };
  const httpAgent = new HttpAgent(agent);
  const httpsAgent = new HttpsAgent({ ...agent, ...(settings.caBundle !== undefined && { ca: settings.caBundle }) });
  return {
    requestHandler: {
      httpAgent,
      httpsAgent,
      connectionTimeout: settings.connectTimeoutMs,
      requestTimeout: settings.requestTimeoutMs + waitMs,
      // Without this the SDK only warns.
      throwOnRequestTimeout: true,
      // The request timeout ends with the answer's first byte; this one watches the rest.
      socketTimeout: settings.requestTimeoutMs + waitMs,
    },
    [Symbol.dispose]() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/** Loopback never goes through a proxy, as in Go and curl. */
const LOOPBACK = ['localhost', '127.0.0.1-127.255.255.255', '::1'];

/**
 * Node takes `example.com` in NO_PROXY for that very host; Go, curl and the AWS CLI take it for its subdomains too.
 * https://nodejs.org/docs/latest-v24.x/api/http.html#no_proxy-format
 */
function proxyEnv({ NO_PROXY, ...proxies }: AwsSettings['proxy']): AwsSettings['proxy'] {
  const entries = (NO_PROXY ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const withSubdomains = entries.flatMap((entry) => (/^[.*]/.test(entry) ? [entry] : [entry, `.${entry}`]));
  return { ...proxies, NO_PROXY: [...withSubdomains, ...LOOPBACK].join(',') };
}
