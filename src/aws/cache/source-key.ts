import type { ObjectSource, Store } from '../../model/mount-spec.ts';
import { parameterName } from '../stores/parameter-name.ts';
import type { StoreRequest } from '../model/store.ts';

/** The same for equal requests to a store of one region, and only for those. */
export function sourceKey(store: Store, { name, version, label }: ObjectSource): string {
  return JSON.stringify([store, name, version ?? null, label ?? null]);
}

/** Whether the request names a version by id or number, whose value never changes. */
export function isPinned({ object, source }: StoreRequest): boolean {
  return object.store === 'secretsmanager'
    ? source.version !== undefined
    : /^\d+$/.test(parameterName(source).selector);
}
