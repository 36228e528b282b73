import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { AccessSource } from './access.ts';

const TOKEN_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * @param file kubeconfig, with any method of authentication; absent: the pod's service account, or else the default of kubectl, ~/.kube/config
 * @param root directory that replaces "/" in the paths of the service account's files
 * @throws Error if the kubeconfig does not exist, or names no cluster
 */
export function findAccess(file?: string, root = ''): AccessSource {
  if (file === undefined && process.env['KUBERNETES_SERVICE_HOST'] && existsSync(root + TOKEN_FILE)) {
    // Each request gets a new KubeConfig, because one reads the token again only after a minute of the wall clock, which may jump back.
    return async () => load((config) => config.loadFromCluster(root))();
  }
  return load((config) => config.loadFromFile(existing(file)));
}

function load(from: (config: KubeConfig) => void): AccessSource {
  const config = new KubeConfig();
  from(config);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error('the kubeconfig has no current context');
  }
  const server = new URL(cluster.server);
  return async () => {
    const options: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options);
    if (cluster.proxyUrl === undefined) {
      // The library's own agent closes its connection after each request.
      delete options.agent;
    }
    return { server, options };
  };
}

function existing(file: string | undefined): string {
  const path = file ?? join(homedir(), '.kube', 'config');
  if (existsSync(path)) {
    return path;
  }
  throw new Error(
    file === undefined
      ? "there is neither a service-account token nor a kubeconfig: let the pod mount its service account's token, or set --kubeconfig"
      : `the kubeconfig "${file}" does not exist`,
  );
}
