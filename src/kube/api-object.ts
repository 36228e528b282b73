import type { ObjectRef } from '../model/kube-objects.ts';

/** An object of the API server. Each resource file adds the fields that it reads. */
export interface ApiObject {
  readonly metadata?: ObjectMeta;
}

/** The fields of `metadata` that are read. */
export interface ObjectMeta {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Set while the object is being deleted. */
  readonly deletionTimestamp?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
}

export interface OwnerReference extends ObjectRef {
  readonly controller?: boolean;
}

export interface ApiList<Item extends ApiObject> extends ApiObject {
  readonly metadata?: ObjectMeta & { readonly continue?: string };
  readonly items?: readonly Item[];
}

/** @returns the owner that is the controller of the object */
export function controllerOf({ metadata }: ApiObject): OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

export function refOf({ apiVersion, kind, name, uid }: ObjectRef): ObjectRef {
  return { apiVersion, kind, name, uid };
}

/** Converts a map of the API, which omits empty maps. */
export function mapOf(record: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(record ?? {}));
}
