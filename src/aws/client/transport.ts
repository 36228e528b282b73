import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SecretsManagerClientConfig } from '@aws-sdk/client-secrets-manager';
import type { AwsSettings } from './settings.ts';

/** The connections to AWS: one pool per process, shared by all services, regions and identities. */
export interface Transport extends Disposable {
  readonly requestHandler: NonNullable<SecretsManagerClientConfig['requestHandler']>;
}

/** More than the limiters of fetch.ts allow per host, because the time that a request waits here counts as connecting. */
const MAX_SOCKETS = 128;

/** Shorter than the server's limit: a request on a connection that the server has just closed costs a retry. */
const IDLE_MS = 50_000;

/** @param waitMs how long a service may delay a response on purpose, as in long polling */
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
      // The request timeout covers only the time to the first byte; this one covers the rest.
      socketTimeout: settings.requestTimeoutMs + waitMs,
    },
    [Symbol.dispose]() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/** Loopback addresses never use the proxy, as in Go and curl. */
const LOOPBACK = ['localhost', '127.0.0.1-127.255.255.255', '::1'];

/**
 * In Node, `example.com` in NO_PROXY means only that host. In Go, curl and the AWS CLI it includes subdomains.
 * https://nodejs.org/docs/latest-v24.x/api/http.html#no_proxy-format
 */
function proxyEnv({ NO_PROXY, ...proxies }: AwsSettings['proxy']): AwsSettings['proxy'] {
  const entries = (NO_PROXY ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  const withSubdomains = entries.flatMap((entry) => (/^[.*]/.test(entry) ? [entry] : [entry, `.${entry}`]));
  return { ...proxies, NO_PROXY: [...withSubdomains, ...LOOPBACK].join(',') };
}
