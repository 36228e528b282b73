import type { ObjectRef } from '../model/kube-objects.ts';

/** An object as the API server writes it; resource files name the fields that they read besides. */
export interface ApiObject {
  readonly metadata?: ObjectMeta;
}

/** What we read of `metadata`. */
export interface ObjectMeta {
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Set on what is being deleted. */
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

/** The owner that made the object: one at most is its controller. */
export function controllerOf({ metadata }: ApiObject): OwnerReference | undefined {
  return metadata?.ownerReferences?.find(({ controller }) => controller === true);
}

export function refOf({ apiVersion, kind, name, uid }: ObjectRef): ObjectRef {
  return { apiVersion, kind, name, uid };
}

/** A map of the API's, which leaves empty ones out. */
export function mapOf(record: Readonly<Record<string, string>> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(record ?? {}));
}
