import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

/** Address of the API server, and how to authenticate to it. */
export interface Access {
  readonly server: URL;
  /** TLS options and headers. */
  readonly options: RequestOptions;
}

/** Called for each request, because the kubelet renews the token, and the CA may change. */
export type AccessSource = () => Promise<Access>;

/**
 * Reads the service account that the kubelet mounts into a pod. @kubernetes/client-node is not used, because it takes 22 MiB of a container's 100.
 * @returns undefined if no service account is mounted
 */
export function inClusterAccess(
  env: Readonly<Record<string, string | undefined>> = process.env,
  directory = '/var/run/secrets/kubernetes.io/serviceaccount',
): AccessSource | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const tokenFile = join(directory, 'token');
  if (!host || !port || !existsSync(tokenFile)) {
    return undefined;
  }
  const server = new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`);
  return async () => {
    const [token, ca] = await Promise.all([readFile(tokenFile, 'utf8'), readFile(join(directory, 'ca.crt'), 'utf8')]);
    return { server, options: { ca, headers: { authorization: `Bearer ${token.trim()}` } } };
  };
}
