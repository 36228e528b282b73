import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { quote } from '../text/quote.ts';
import { type Decision, decide, ownAnnotations } from './decide.ts';
import {
  CONTENT_MANAGER,
  isOurs,
  isOwnedBy,
  hasOwnManager,
  isUnclaimed,
  ownerManager,
  foreignSecretError,
  ownersWithoutManager,
} from './ownership.ts';
import type { SecretContent } from './secret-content.ts';
import type { SecretApi, SecretName, StoredSecret, Written } from './secret-api.ts';

/*
 * Reconciles one Secret: read, decide, write, and read again if another client was faster. A Secret of ours has an owner at every moment, even if the
 * process is killed between two calls: Kubernetes would never delete one without an owner.
 */

/**
 * Rounds of reading and writing. If several nodes write at once, one succeeds per round. More rounds than there are nodes that add an owner at the same
 * time mean that another controller keeps reverting our writes.
 */
const MAX_ROUNDS = 50;

export interface WantedSecret {
  readonly content: SecretContent;
  /** Wall clock: when AWS confirmed the content. */
  readonly confirmedAt: number;
  readonly owner: ObjectRef;
}

export interface ReconciledSecret {
  /** Owners with a field manager of their own: a write of the content does not remove them. */
  readonly owners: readonly ObjectRef[];
  /** Set if another node wrote values that AWS confirmed later: when (wall clock). */
  readonly newerConfirmedAt?: number;
}

/**
 * Makes sure that the Secret has this content, or newer, and this owner.
 * @throws ProviderError
 */
export async function reconcileSecret(
  secrets: SecretApi,
  secret: SecretName,
  wanted: WantedSecret,
  clock: Clock,
  signal: AbortSignal,
): Promise<ReconciledSecret> {
  const { content, confirmedAt, owner } = wanted;
  /** Owners of a Secret that was replaced. Kubernetes' garbage collector removes those that no longer exist. */
  let previousOwners: readonly ObjectRef[] = [];
  /** The Secret as the last write returned it, which saves reading it. */
  let written: Written = 'changed';
  /** Prevents endless writes if an admission policy of the cluster changes what we write. */
  let contentIsTaken = false;

  for (let round = 0; round < MAX_ROUNDS; round++) {
    contentIsTaken &&= written !== 'changed';
    const stored: StoredSecret | undefined = written === 'changed' ? await secrets.read(secret, signal) : written;
    if (stored === undefined) {
      // Creates only, and never overwrites: another client may have made a Secret of this name meanwhile.
      const owners = [owner, ...previousOwners.filter(({ uid }) => uid !== owner.uid)];
      written = await secrets.create(secret, CONTENT_MANAGER, { ...contentFields(wanted), owners }, signal);
      contentIsTaken = true;
      continue;
    }
    if (isOurs(stored) && !stored.isTerminating && isUnclaimed(stored)) {
      written = await secrets.claim(secret, CONTENT_MANAGER, stored, signal);
      continue;
    }
    const decision = decide(stored, content, confirmedAt, clock.wallNow());
    throwIfRefused(decision, secret, stored);
    if (decision.kind === 'replace' && !contentIsTaken) {
      previousOwners = stored.owners;
      await secrets.remove(secret, stored, signal);
      written = 'changed';
    } else if (decision.kind === 'write' && !contentIsTaken) {
      written = await secrets.apply(secret, CONTENT_MANAGER, contentWithOwners(stored, wanted), signal);
      contentIsTaken = true;
    } else {
      written = hasOwnManager(stored, owner) ? stored : await applyOwner(secrets, secret, stored, owner, signal);
      if (written !== 'changed') {
        const owners = [owner, ...stored.owners.filter((other) => hasOwnManager(stored, other))];
        return { owners, ...(decision.kind === 'newer' && { newerConfirmedAt: decision.confirmedAt }) };
      }
    }
  }
  throw contentionError(secret);
}

/** @throws ProviderError if the Secret must not be written */
function throwIfRefused({ kind }: Decision, secret: SecretName, stored: StoredSecret): void {
  if (kind === 'refuse') {
    throw foreignSecretError(secret, stored);
  }
  if (kind === 'terminating') {
    throw beingDeleted(secret);
  }
}

function contentFields({ content, confirmedAt }: WantedSecret) {
  return {
    type: content.type,
    ...(content.isImmutable && { isImmutable: true }),
    labels: content.labels,
    annotations: ownAnnotations(content, confirmedAt),
    data: content.data,
  };
}

/** The content, and the owners that this write would remove otherwise: those without a field manager of their own. */
function contentWithOwners(stored: StoredSecret, wanted: WantedSecret) {
  const { owner } = wanted;
  const others = ownersWithoutManager(stored).filter(({ uid }) => uid !== owner.uid);
  const owners = hasOwnManager(stored, owner) ? others : [...others, owner];
  return { ...preconditions(stored), ...contentFields(wanted), ...(owners.length > 0 && { owners }) };
}

function applyOwner(
  secrets: SecretApi,
  secret: SecretName,
  stored: StoredSecret,
  owner: ObjectRef,
  signal: AbortSignal,
): Promise<Written> {
  return secrets.apply(secret, ownerManager(owner), { ...preconditions(stored), owners: [owner] }, signal);
}

/** Preconditions of a write: it fails if the Secret has changed since it was read, and creates none. */
function preconditions({ uid, resourceVersion }: StoredSecret) {
  return { uid, resourceVersion };
}

/**
 * Removes an owner, or the Secret if it was the last owner.
 * @throws ProviderError
 */
export async function dropOwner(
  secrets: SecretApi,
  secret: SecretName,
  owner: ObjectRef,
  signal: AbortSignal,
): Promise<void> {
  let isDisowned = false;
  let written: Written = 'changed';

  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored: StoredSecret | undefined = written === 'changed' ? await secrets.read(secret, signal) : written;
    if (stored === undefined || stored.isTerminating || !isOurs(stored) || !isOwnedBy(stored, owner)) {
      return;
    }
    const read = preconditions(stored);
    if (isUnclaimed(stored)) {
      // Otherwise it would keep the owner that was set when it was created.
      written = await secrets.claim(secret, CONTENT_MANAGER, stored, signal);
    } else if (stored.owners.length === 1) {
      await secrets.remove(secret, read, signal);
      written = 'changed';
    } else if (stored.appliers.has(ownerManager(owner))) {
      written = await secrets.apply(secret, ownerManager(owner), read, signal);
    } else if (isDisowned) {
      // Another field manager, such as the driver, has set this owner too, and must remove it.
      return;
    } else {
      written = await secrets.apply(secret, CONTENT_MANAGER, withoutOwner(stored, owner), signal);
      isDisowned = written !== 'changed';
    }
  }
  throw contentionError(secret);
}

/** The stored content without the owner, for the content's field manager, which set the first owner when it created the Secret. */
function withoutOwner(stored: StoredSecret, owner: ObjectRef) {
  const { uid, resourceVersion, type, isImmutable, labels, annotations, data } = stored;
  const owners = ownersWithoutManager(stored).filter((other) => other.uid !== owner.uid);
  return { uid, resourceVersion, type, ...(isImmutable && { isImmutable }), labels, annotations, data, owners };
}

/** Retryable: a new Secret can be created as soon as this one is deleted. */
function beingDeleted({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is being deleted, and is created again after that; if it stays, remove its finalizers`,
  );
}

function contentionError({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is changed by other clients faster than it can be read`,
  );
}
