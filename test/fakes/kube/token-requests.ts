import { mintToken } from '../aws/web-token.ts';
import { conflict } from './failure.ts';
import type { KubeObject, Named } from './kube-object.ts';
import type { Storage } from './storage.ts';

/** The content of a TokenRequest. */
export interface TokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** Name of the pod that the token is bound to. */
  readonly pod?: string;
}

interface Spec {
  readonly audiences: readonly string[];
  readonly expirationSeconds?: number;
  readonly boundObjectRef?: { readonly name: string; readonly uid?: string };
}

/** @throws Failure if the service account or the pod does not exist, or is another one */
export function answerTokenRequest(
  storage: Storage,
  target: Named,
  body: KubeObject,
): { readonly asked: TokenRequest; readonly answer: object } {
  const { namespace = '', name } = target;
  const { audiences, expirationSeconds = 3600, boundObjectRef: pod } = body['spec'] as Spec;
  storage.get(target);
  if (pod !== undefined) {
    const { metadata } = storage.get({ api: '/api/v1', namespace, resource: 'pods', name: pod.name });
    if ((pod.uid ?? metadata.uid) !== metadata.uid) {
      throw conflict(
        'Pod',
        pod.name,
        `the UID in the bound object reference (${pod.uid}) does not match the UID in record`,
      );
    }
  }
  const exp = Math.floor(Date.now() / 1000) + expirationSeconds;
  const status = {
    token: mintToken(`${namespace}/${name}`, { aud: audiences, exp }),
    expirationTimestamp: new Date(exp * 1000).toISOString(),
  };
  return {
    asked: { namespace, serviceAccount: name, audiences, expirationSeconds, ...(pod && { pod: pod.name }) },
    answer: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { namespace, name },
      spec: { audiences, expirationSeconds, boundObjectRef: pod },
      status,
    },
  };
}
