import type { RequestOptions } from 'node:https';

/** Address of the API server, and how to authenticate to it. */
export interface Access {
  readonly server: URL;
  /** TLS options and headers. */
  readonly options: RequestOptions;
}

/** Called for each request, because the kubelet renews the token, and the CA may change. */
export type AccessSource = () => Promise<Access>;

/**
 * Uses the service account that the kubelet mounts into a pod, or else a kubeconfig. The library that reads them is loaded for the first request, because
 * with Pod Identity and a region in the class there may never be one.
 */
export function lazyAccess(kubeconfig: string | undefined): AccessSource {
  let access: AccessSource | undefined;
  return async () => {
    if (access === undefined) {
      const { findAccess } = await import('./kubeconfig.ts');
      access = findAccess(kubeconfig);
    }
    return access();
  };
}
