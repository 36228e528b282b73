import type { ApiObject } from './api-object.ts';
import type { Kube } from './client.ts';
import type { KubeRequest } from './request.ts';

/** Which object to read. */
export interface Named extends Pick<KubeRequest, 'resource' | 'namespace' | 'remedy'> {
  readonly name: string;
}

/** Reads an object. `Shape` has the fields that the caller uses. @throws ProviderError also if it does not exist; or the signal's reason */
export async function getObject<Shape extends ApiObject>(
  kube: Kube,
  what: Named,
  signal?: AbortSignal,
): Promise<Shape> {
  return (await kube.ask<Shape>({ verb: 'get', ...what }, signal)).object;
}

/**
 * Reads an object that may not exist.
 * @returns undefined if it does not exist, or was recreated with another uid. @throws ProviderError, or the signal's reason
 */
export async function findObject<Shape extends ApiObject>(
  kube: Kube,
  { uid, ...what }: Named & { readonly uid?: string },
  signal?: AbortSignal,
): Promise<Shape | undefined> {
  const { status, object } = await kube.ask<Shape>({ verb: 'get', ...what, accepts: [404] }, signal);
  return status === 404 || (uid !== undefined && object.metadata?.uid !== uid) ? undefined : object;
}
