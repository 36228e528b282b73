import type { ObjectSource, Store } from '../../model/mount-spec.ts';
import { parameterName } from '../stores/parameter-name.ts';
import type { StoreRequest } from '../model/store.ts';

/** Equal for what is the same question to a store of one region, and for nothing else. */
export function sourceKey(store: Store, { name, version, label }: ObjectSource): string {
  return JSON.stringify([store, name, version ?? null, label ?? null]);
}

/** A version by its id or number never changes. */
export function isPinned({ object, source }: StoreRequest): boolean {
  return object.store === 'secretsmanager'
    ? source.version !== undefined
    : /^\d+$/.test(parameterName(source).selector);
}
