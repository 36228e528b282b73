import type { Clock } from '../concurrency/clock.ts';
import type { Verdict } from '../model/downstream.ts';
import { ProviderError } from '../model/errors.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { quote } from '../text/quote.ts';
import { annotated, type ConfirmedContent, decide } from './decide.ts';
import {
  CONTENT_MANAGER,
  isOurs,
  isOwnedBy,
  hasOwnManager,
  isUnclaimed,
  ownerManager,
  ownersWithoutManager,
} from './ownership.ts';
import type { AppliedSecret, SecretApi, SecretName, StoredSecret, Written } from './secret-api.ts';

/*
 * Reconciles one Secret: read, decide, write, and read again if another client was faster. A Secret of ours has an owner at every moment, even if the
 * process is killed between two calls: Kubernetes would never delete one without an owner.
 */

/**
 * Rounds of reading and writing. If several nodes write at once, one succeeds per round. More rounds than there are nodes that add an owner at the same
 * time mean that another controller keeps reverting our writes.
 */
const MAX_ROUNDS = 50;

export interface ReconcileDeps {
  readonly secrets: SecretApi;
  readonly clock: Clock;
}

export interface OwnedSecret extends SecretName {
  readonly owner: ObjectRef;
}

export interface WantedSecret extends OwnedSecret, ConfirmedContent {}

export interface ReconciledSecret {
  /** Owners with a field manager of their own: a write of the content does not remove them. */
  readonly owners: readonly ObjectRef[];
  readonly verdict: Verdict;
}

/**
 * Makes sure that the Secret has this content, or newer, and this owner.
 * @throws ProviderError
 */
export async function reconcileSecret(
  wanted: WantedSecret,
  { secrets, clock }: ReconcileDeps,
  signal: AbortSignal,
): Promise<ReconciledSecret> {
  const { owner } = wanted;
  /** Owners of a Secret that was replaced. Kubernetes' garbage collector removes those that no longer exist. */
  let previousOwners: readonly ObjectRef[] = [];
  /** The Secret as the last write returned it, which saves reading it. */
  let written: Written = 'changed';
  /** Prevents endless writes if an admission policy of the cluster changes what we write. */
  let contentIsTaken = false;

  for (let round = 0; round < MAX_ROUNDS; round++) {
    contentIsTaken &&= written !== 'changed';
    const stored: StoredSecret | undefined = written === 'changed' ? await secrets.read(wanted, signal) : written;
    if (stored === undefined) {
      // Creates only, and never overwrites: another client may have made a Secret of this name meanwhile.
      const owners = [owner, ...previousOwners.filter(({ uid }) => uid !== owner.uid)];
      written = await secrets.create({ ...contentOf(wanted), owners }, CONTENT_MANAGER, signal);
      contentIsTaken = true;
      continue;
    }
    if (isOurs(stored) && !stored.isTerminating && isUnclaimed(stored)) {
      written = await secrets.claim(stored, CONTENT_MANAGER, signal);
      continue;
    }
    const decision = decide(stored, wanted, clock.wallNow());
    if (decision === 'replace' && !contentIsTaken) {
      previousOwners = stored.owners;
      await secrets.remove(stored, signal);
      written = 'changed';
    } else if (decision === 'write' && !contentIsTaken) {
      written = await secrets.apply(contentWithOwners(stored, wanted), CONTENT_MANAGER, signal);
      contentIsTaken = true;
    } else if (hasOwnManager(stored, owner)) {
      return { owners: stored.owners.filter((each) => hasOwnManager(stored, each)), verdict: verdictOf(decision) };
    } else {
      written = await secrets.apply({ ...preconditions(stored), owners: [owner] }, ownerManager(owner), signal);
    }
  }
  throw contentionError(wanted);
}

function verdictOf(decision: ReturnType<typeof decide>): Verdict {
  return typeof decision === 'string' ? {} : decision;
}

function contentOf(wanted: WantedSecret): AppliedSecret {
  return { namespace: wanted.namespace, name: wanted.name, ...annotated(wanted) };
}

/** The content, and the owners that this write would remove otherwise: those without a field manager of their own. */
function contentWithOwners(stored: StoredSecret, wanted: WantedSecret): AppliedSecret {
  const { owner } = wanted;
  const others = ownersWithoutManager(stored).filter(({ uid }) => uid !== owner.uid);
  const owners = hasOwnManager(stored, owner) ? others : [...others, owner];
  return { ...preconditions(stored), ...annotated(wanted), ...(owners.length > 0 && { owners }) };
}

/** Preconditions of a write: it fails if the Secret has changed since it was read, and creates none. */
function preconditions({ namespace, name, uid, resourceVersion }: StoredSecret): AppliedSecret {
  return { namespace, name, uid, resourceVersion };
}

/**
 * Removes an owner, or the Secret if it was the last owner.
 * @throws ProviderError
 */
export async function dropOwner(secret: OwnedSecret, secrets: SecretApi, signal: AbortSignal): Promise<void> {
  const { owner } = secret;
  let isDisowned = false;
  let written: Written = 'changed';

  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored: StoredSecret | undefined = written === 'changed' ? await secrets.read(secret, signal) : written;
    if (stored === undefined || stored.isTerminating || !isOurs(stored) || !isOwnedBy(stored, owner)) {
      return;
    }
    if (isUnclaimed(stored)) {
      // Otherwise it would keep the owner that was set when it was created.
      written = await secrets.claim(stored, CONTENT_MANAGER, signal);
    } else if (stored.owners.length === 1) {
      await secrets.remove(stored, signal);
      written = 'changed';
    } else if (stored.appliers.has(ownerManager(owner))) {
      written = await secrets.apply(preconditions(stored), ownerManager(owner), signal);
    } else if (isDisowned) {
      // Another field manager, such as the driver, has set this owner too, and must remove it.
      return;
    } else {
      written = await secrets.apply(withoutOwner(stored, owner), CONTENT_MANAGER, signal);
      isDisowned = written !== 'changed';
    }
  }
  throw contentionError(secret);
}

/** The stored content without the owner, for the content's field manager, which set the first owner when it created the Secret. */
function withoutOwner(stored: StoredSecret, owner: ObjectRef): AppliedSecret {
  const { type, isImmutable, labels, annotations, data } = stored;
  const owners = ownersWithoutManager(stored).filter((other) => other.uid !== owner.uid);
  return { ...preconditions(stored), type, isImmutable, labels, annotations, data, owners };
}

function contentionError({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is changed by other clients faster than it can be read`,
  );
}
