import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { quote } from '../text/quote.ts';
import { type Decision, decide, ownAnnotations } from './decide.ts';
import {
  CONTENT_MANAGER,
  isOurs,
  isOwnedBy,
  isSettled,
  isUnclaimed,
  ownerManager,
  foreignSecretError,
  unsettledOwners,
} from './ownership.ts';
import type { SecretContent } from './secret-content.ts';
import type { SecretApi, SecretName, StoredSecret, Written } from './secret-api.ts';

/*
 * One Secret, brought to where it should be: read, decided, written, and read again where somebody was faster. At no moment between two
 * calls is there a Secret of ours that nobody owns, since nobody would ever collect it.
 */

/**
 * Rounds of reading and writing. Each node writes only what is different, and of those that want to write at once one can: more rounds than
 * a cluster has nodes that add an owner at once mean that somebody fights with us.
 */
const MAX_ROUNDS = 50;

export interface WantedSecret {
  readonly content: SecretContent;
  /** Wall. */
  readonly confirmedAt: number;
  readonly owner: ObjectRef;
}

export interface Settled {
  /** Whom nobody who writes the content takes away. */
  readonly owners: readonly ObjectRef[];
  /** Another node knows better, as of then (wall). */
  readonly newerConfirmedAt?: number;
}

/**
 * Sees to it that the Secret has this content, or newer, and this owner.
 * @throws ProviderError
 */
export async function reconcileSecret(
  secrets: SecretApi,
  secret: SecretName,
  wanted: WantedSecret,
  clock: Clock,
  signal: AbortSignal,
): Promise<Settled> {
  const { content, confirmedAt, owner } = wanted;
  /** Of a Secret that was replaced; those that nobody needs any more, the garbage collector takes out. */
  let former: readonly ObjectRef[] = [];
  /** As a write has left it: it need not be read. */
  let written: Written = 'changed';
  /** Then it is not written again, whatever a policy of the cluster has made of it. */
  let contentIsTaken = false;

  for (let round = 0; round < MAX_ROUNDS; round++) {
    contentIsTaken &&= written !== 'changed';
    const stored: StoredSecret | undefined = written === 'changed' ? await secrets.read(secret, signal) : written;
    if (stored === undefined) {
      // Only where there still is none: one that another has made meanwhile may be his own.
      const owners = [owner, ...former.filter(({ uid }) => uid !== owner.uid)];
      written = await secrets.create(secret, CONTENT_MANAGER, { ...said(wanted), owners }, signal);
      contentIsTaken = true;
      continue;
    }
    if (isOurs(stored) && !stored.isTerminating && isUnclaimed(stored)) {
      written = await secrets.claim(secret, CONTENT_MANAGER, stored, signal);
      continue;
    }
    const decision = decide(stored, content, confirmedAt, clock.wallNow());
    refuseWhere(decision, secret, stored);
    if (decision.kind === 'replace' && !contentIsTaken) {
      former = stored.owners;
      await secrets.remove(secret, stored, signal);
      written = 'changed';
    } else if (decision.kind === 'write' && !contentIsTaken) {
      written = await secrets.apply(secret, CONTENT_MANAGER, contentBeside(stored, wanted), signal);
      contentIsTaken = true;
    } else {
      written = isSettled(stored, owner) ? stored : await applyOwner(secrets, secret, stored, owner, signal);
      if (written !== 'changed') {
        const owners = [owner, ...stored.owners.filter((other) => isSettled(stored, other))];
        return { owners, ...(decision.kind === 'newer' && { newerConfirmedAt: decision.confirmedAt }) };
      }
    }
  }
  throw contentionError(secret);
}

/** @throws ProviderError for a Secret that is not to be written */
function refuseWhere({ kind }: Decision, secret: SecretName, stored: StoredSecret): void {
  if (kind === 'refuse') {
    throw foreignSecretError(secret, stored);
  }
  if (kind === 'going') {
    throw beingDeleted(secret);
  }
}

function said({ content, confirmedAt }: WantedSecret) {
  return {
    type: content.type,
    ...(content.isImmutable && { isImmutable: true }),
    labels: content.labels,
    annotations: ownAnnotations(content, confirmedAt),
    data: content.data,
  };
}

/** The content, and owners that would go with an older one: those whom no manager of their own says. */
function contentBeside(stored: StoredSecret, wanted: WantedSecret) {
  const { owner } = wanted;
  const others = unsettledOwners(stored).filter(({ uid }) => uid !== owner.uid);
  const owners = isSettled(stored, owner) ? others : [...others, owner];
  return { ...asRead(stored), ...said(wanted), ...(owners.length > 0 && { owners }) };
}

function applyOwner(
  secrets: SecretApi,
  secret: SecretName,
  stored: StoredSecret,
  owner: ObjectRef,
  signal: AbortSignal,
): Promise<Written> {
  return secrets.apply(secret, ownerManager(owner), { ...asRead(stored), owners: [owner] }, signal);
}

/** Writes nothing to a Secret that is not as it was decided on, and makes none. */
function asRead({ uid, resourceVersion }: StoredSecret) {
  return { uid, resourceVersion };
}

/**
 * Takes an owner away, and the Secret with the last one.
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
    const read = asRead(stored);
    if (isUnclaimed(stored)) {
      // Else it would keep the owner that its maker has said.
      written = await secrets.claim(secret, CONTENT_MANAGER, stored, signal);
    } else if (stored.owners.length === 1) {
      await secrets.remove(secret, read, signal);
      written = 'changed';
    } else if (stored.appliers.has(ownerManager(owner))) {
      written = await secrets.apply(secret, ownerManager(owner), read, signal);
    } else if (isDisowned) {
      // The driver says it, or somebody else: theirs to take away.
      return;
    } else {
      written = await secrets.apply(secret, CONTENT_MANAGER, withoutOwner(stored, owner), signal);
      isDisowned = written !== 'changed';
    }
  }
  throw contentionError(secret);
}

/** What is stored, said anew by the content's manager: the one who made the Secret has said its first owner in that name. */
function withoutOwner(stored: StoredSecret, owner: ObjectRef) {
  const { uid, resourceVersion, type, isImmutable, labels, annotations, data } = stored;
  const owners = unsettledOwners(stored).filter((other) => other.uid !== owner.uid);
  return { uid, resourceVersion, type, ...(isImmutable && { isImmutable }), labels, annotations, data, owners };
}

/** No refusal: there is room for a new one as soon as it has gone. */
function beingDeleted({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is being deleted, and is made anew once it has gone; if it stays, remove its finalizers`,
  );
}

function contentionError({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is written by others faster than it can be read`,
  );
}
