import { ProviderError } from '../model/errors.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { quote } from '../text/quote.ts';
import { MANAGED_LABEL } from './secret-content.ts';
import type { SecretName, StoredSecret } from './secret-api.ts';

/** Field manager that says what a Secret holds. */
export const CONTENT_MANAGER = 'aws-secrets-csi';

/** Field manager that says one owner and nothing else, the same on every node. */
export function ownerManager({ uid }: Pick<ObjectRef, 'uid'>): string {
  return `${CONTENT_MANAGER}/${uid}`;
}

/** Whether it may be written: it is of this provider, on whatever node, or of the driver's own sync. */
export function isOurs({ appliers, labels }: Pick<StoredSecret, 'appliers' | 'labels'>): boolean {
  const [label, value] = MANAGED_LABEL;
  return appliers.has(CONTENT_MANAGER) || labels.get(label) === value;
}

/** Whether it was made, and its maker has not come to claim its fields. */
export function isUnclaimed({ appliers, managedFields }: StoredSecret): boolean {
  return (
    !appliers.has(CONTENT_MANAGER) &&
    managedFields.some(({ manager, operation }) => manager === CONTENT_MANAGER && operation === 'Update')
  );
}

export function isOwnedBy({ owners }: StoredSecret, { uid }: ObjectRef): boolean {
  return owners.some((owner) => owner.uid === uid);
}

/** The owner is there, and by its own manager: nobody who writes the content takes it away. */
export function isSettled(stored: StoredSecret, owner: ObjectRef): boolean {
  return isOwnedBy(stored, owner) && stored.appliers.has(ownerManager(owner));
}

/**
 * Owners whom no manager of their own says, as right after a Secret was made, or where the driver has put them. Whoever writes
 * the content says them again, since they may be said by that alone.
 */
export function unsettledOwners(stored: StoredSecret): readonly ObjectRef[] {
  return stored.owners.filter((owner) => !isSettled(stored, owner));
}

export function foreignSecretError({ namespace, name }: SecretName, { appliers, owners }: StoredSecret): ProviderError {
  const whose = [
    ...Array.from(appliers, (manager) => `applied by ${quote(manager)}`),
    ...owners.map((owner) => `owned by ${owner.kind} ${quote(owner.name)}`),
  ];
  return new ProviderError(
    'SecretRefused',
    `the Secret ${quote(name)} in namespace ${namespace} is somebody else's (${whose.join(', ') || 'made by hand'}) and is left as it is: give secretName another name, or delete that Secret`,
  );
}
