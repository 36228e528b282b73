import { type KubeObject, type Named, targetOf } from './kube-object.ts';
import type { Storage } from './storage.ts';

/**
 * Deletes objects that were owned by this object and have no other existing owner, and what they owned; if there is one,
 * the references to deleted owners are removed, as kube-controller-manager does in the background.
 */
export function collectGarbage(storage: Storage, deleted: KubeObject): void {
  for (const dependent of storage.all()) {
    const owners = dependent.metadata.ownerReferences ?? [];
    if (owners.some(({ uid }) => uid === deleted.metadata.uid)) {
      const uids = new Set(storage.all().map(({ metadata }) => metadata.uid));
      const left = owners.filter(({ uid }) => uids.has(uid));
      const target: Named = targetOf(dependent);
      if (left.length === 0) {
        storage.remove(target);
        collectGarbage(storage, dependent);
      } else {
        const { metadata, ...rest } = dependent;
        storage.put(
          { ...rest, kind: dependent.kind, metadata: { ...metadata, ownerReferences: left } },
          'kube-controller-manager',
        );
      }
    }
  }
}
