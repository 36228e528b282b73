import { expect } from 'vitest';
import { ProviderError } from '../../../src/model/errors.ts';
import { type Kube, openKube } from '../../../src/kube/client.ts';
import type { ObjectRef } from '../../../src/model/kube-objects.ts';
import { type ApiServer, type ApiServerOptions, startApiServer } from '../../fakes/kube/api-server.ts';

export const NEVER = new AbortController().signal;

export interface KubeFixture extends AsyncDisposable {
  readonly api: ApiServer;
  readonly kube: Kube;
}

/** The stand-in, and a client of it. */
export async function startKube(
  options: ApiServerOptions & { readonly timeoutMs?: number } = {},
): Promise<KubeFixture> {
  const api = await startApiServer(options);
  const kube = openKube({ kubeconfig: api.kubeconfig, timeoutMs: options.timeoutMs ?? 10_000 });
  return {
    api,
    kube,
    async [Symbol.asyncDispose]() {
      kube[Symbol.dispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}

export async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error = await work.then(
    () => new Error('it went well'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProviderError);
  return error as ProviderError;
}

export function ownerRef(uid: string, kind = 'ReplicaSet'): ObjectRef {
  return { apiVersion: 'apps/v1', kind, name: `${uid}-name`, uid };
}
