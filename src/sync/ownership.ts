import { ProviderError } from '../model/errors.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { quote } from '../text/quote.ts';
import type { StoredSecret } from './secret-api.ts';

/** Label of the driver's own sync: the driver watches Secrets with it, and treats them as its own. */
export const MANAGED_LABEL = ['secrets-store.csi.k8s.io/managed', 'true'] as const;

/** Field manager of the content of a Secret. */
export const CONTENT_MANAGER = 'aws-secrets-csi';

/** Field manager of one owner reference, with the same name on every node. */
export function ownerManager({ uid }: Pick<ObjectRef, 'uid'>): string {
  return `${CONTENT_MANAGER}/${uid}`;
}

/** Whether the Secret may be written: it was made by this provider, on any node, or by the driver's own sync. */
export function isOurs({ appliers, labels }: Pick<StoredSecret, 'appliers' | 'labels'>): boolean {
  const [label, value] = MANAGED_LABEL;
  return appliers.has(CONTENT_MANAGER) || labels.get(label) === value;
}

/** Whether a node created the Secret and has not claimed its fields by server-side apply yet. */
export function isUnclaimed({ appliers, managedFields }: StoredSecret): boolean {
  return (
    !appliers.has(CONTENT_MANAGER) &&
    managedFields.some(({ manager, operation }) => manager === CONTENT_MANAGER && operation === 'Update')
  );
}

export function isOwnedBy({ owners }: StoredSecret, { uid }: ObjectRef): boolean {
  return owners.some((owner) => owner.uid === uid);
}

/** Whether the owner reference belongs to its own field manager, so that writing the content does not remove it. */
export function hasOwnManager(stored: StoredSecret, owner: ObjectRef): boolean {
  return isOwnedBy(stored, owner) && stored.appliers.has(ownerManager(owner));
}

/**
 * Owners without a field manager of their own, because the Secret was just created or the driver added them. A write of the content must repeat them:
 * it would remove them otherwise.
 */
export function ownersWithoutManager(stored: StoredSecret): readonly ObjectRef[] {
  return stored.owners.filter((owner) => !hasOwnManager(stored, owner));
}

export function foreignSecretError({ namespace, name, appliers, owners }: StoredSecret): ProviderError {
  const whose = [
    ...Array.from(appliers, (manager) => `applied by ${quote(manager)}`),
    ...owners.map((owner) => `owned by ${owner.kind} ${quote(owner.name)}`),
  ];
  return new ProviderError(
    'SecretRefused',
    `the Secret ${quote(name)} in namespace ${namespace} is not managed by this provider (${whose.join(', ') || 'created by hand'}); left unchanged: choose another secretName, or delete that Secret`,
  );
}
