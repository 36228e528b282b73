import type { V1ObjectMeta, V1OwnerReference } from '@kubernetes/client-node';
import type { ObjectRef } from '../model/kube-objects.ts';

/** An object as the API server writes it. Where the client library's types say Date, the JSON has a string. */
export interface ApiObject {
  readonly metadata?: V1ObjectMeta;
}

export interface ApiList<Item extends ApiObject> extends ApiObject {
  readonly metadata?: V1ObjectMeta & { readonly continue?: string };
  readonly items?: readonly Item[];
}

/** @returns the owner that is the controller of the object */
export function controllerOf({ metadata }: ApiObject): V1OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

export function refOf({ apiVersion, kind, name, uid }: ObjectRef): ObjectRef {
  return { apiVersion, kind, name, uid };
}

/** Converts a map of the API, which omits empty maps. */
export function mapOf(record: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(record ?? {}));
}
