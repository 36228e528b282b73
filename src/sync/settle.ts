import { ProviderError } from '../errors.ts';
import type { ObjectRef } from '../spec/kube-objects.ts';
import { quote } from '../spec/quote.ts';
import { type Decision, decide, ownAnnotations } from './decide.ts';
import {
  CONTENT_MANAGER,
  isOurs,
  isOwnedBy,
  isSettled,
  ownerManager,
  somebodyElses,
  unsettledOwners,
} from './ownership.ts';
import type { SecretContent } from './plan.ts';
import type { SecretApi, SecretName, StoredSecret } from './secret-api.ts';

/*
 * One Secret, brought to where it should be: read, decided, written, and read again where somebody was faster. At no moment between two
 * calls is there a Secret of ours that nobody owns, since nobody would ever collect it.
 */

/** Rounds of reading and writing. As each node writes only what is different, more mean that somebody fights with us. */
const MAX_ROUNDS = 10;

export interface WantedSecret {
  readonly content: SecretContent;
  /** Wall. */
  readonly asOf: number;
  readonly owner: ObjectRef;
}

export interface Settled {
  /** Whom nobody who writes the content takes away. */
  readonly owners: readonly ObjectRef[];
  /** Another node knows better, as of then (wall). */
  readonly newerAsOf?: number;
}

/**
 * Sees to it that the Secret has this content, or newer, and this owner.
 * @throws ProviderError
 */
export async function settleSecret(
  secrets: SecretApi,
  secret: SecretName,
  { content, asOf, owner }: WantedSecret,
  now: () => number,
  signal: AbortSignal,
): Promise<Settled> {
  /** Of a Secret that was replaced; those that nobody needs any more, the garbage collector takes out. */
  let former: readonly ObjectRef[] = [];

  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored = await secrets.read(secret, signal);
    if (stored === undefined) {
      // Then it is read, as an owner is only settled for a Secret that is known.
      await applyContent([owner, ...former.filter(({ uid }) => uid !== owner.uid)]);
      continue;
    }
    const decision = decide(stored, content, asOf, now());
    if ((await settleContent(stored, decision)) && (await settleOwner(stored))) {
      return {
        owners: [owner, ...stored.owners.filter((other) => isSettled(stored, other))],
        ...(decision.kind === 'newer' && { newerAsOf: decision.asOf }),
      };
    }
  }
  throw restless(secret);

  /** @returns whether it has the content now; otherwise it is to be read again */
  async function settleContent(stored: StoredSecret, { kind }: Decision): Promise<boolean> {
    if (kind === 'refuse') {
      throw somebodyElses(secret, stored);
    }
    if (kind === 'going') {
      throw beingDeleted(secret);
    }
    if (kind === 'replace') {
      former = stored.owners;
      await secrets.remove(secret, stored, signal);
      return false;
    }
    if (kind === 'write') {
      const others = unsettledOwners(stored).filter(({ uid }) => uid !== owner.uid);
      return (await applyContent(isSettled(stored, owner) ? others : [...others, owner], stored)) === 'written';
    }
    return true;
  }

  function applyContent(owners: readonly ObjectRef[], stored?: StoredSecret) {
    return secrets.apply(
      secret,
      CONTENT_MANAGER,
      {
        ...(stored !== undefined && { uid: stored.uid, resourceVersion: stored.resourceVersion }),
        type: content.type,
        ...(content.isImmutable && { isImmutable: true }),
        labels: content.labels,
        annotations: ownAnnotations(content, asOf),
        data: content.data,
        ...(owners.length > 0 && { owners }),
      },
      signal,
    );
  }

  /** Only for the Secret that was read: to apply to one that is not there would make it. */
  async function settleOwner(stored: StoredSecret): Promise<boolean> {
    return (
      isSettled(stored, owner) ||
      (await secrets.apply(secret, ownerManager(owner), { uid: stored.uid, owners: [owner] }, signal)) === 'written'
    );
  }
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

  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored = await secrets.read(secret, signal);
    if (stored === undefined || stored.isGoing || !isOurs(stored) || !isOwnedBy(stored, owner)) {
      return;
    }
    const read = { uid: stored.uid, resourceVersion: stored.resourceVersion };
    if (stored.owners.length === 1) {
      await secrets.remove(secret, read, signal);
    } else if (stored.appliers.has(ownerManager(owner))) {
      await secrets.apply(secret, ownerManager(owner), read, signal);
    } else if (isDisowned) {
      // The driver says it, or somebody else: theirs to take away.
      return;
    } else {
      isDisowned = (await secrets.apply(secret, CONTENT_MANAGER, withoutOwner(stored, owner), signal)) === 'written';
    }
  }
  throw restless(secret);
}

/** What is stored, said anew by the content's manager: the one who made the Secret has said its first owner in that name. */
function withoutOwner(stored: StoredSecret, owner: ObjectRef) {
  const { uid, resourceVersion, type, isImmutable, labels, annotations, data } = stored;
  const owners = unsettledOwners(stored).filter((other) => other.uid !== owner.uid);
  return { uid, resourceVersion, type, ...(isImmutable && { isImmutable }), labels, annotations, data, owners };
}

function beingDeleted({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'SecretRefused',
    `the Secret ${quote(name)} in namespace ${namespace} is being deleted, which its finalizers hold up: take them away`,
  );
}

function restless({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is written by others faster than it can be read`,
  );
}
