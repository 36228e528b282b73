import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import type { AccessSource } from './access.ts';

/**
 * Reads a kubeconfig file, with all its methods of authentication.
 * @param file absent: the default of kubectl, ~/.kube/config
 * @throws Error if the file does not exist, or names no cluster
 */
export function kubeconfigAccess(file?: string): AccessSource {
  const config = new KubeConfig();
  config.loadFromFile(existing(file));
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error('the kubeconfig has no current context');
  }
  const server = new URL(cluster.server);
  return async () => {
    const options: RequestOptions = {};
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
