import { createHash } from 'node:crypto';
import { isCredible } from '../model/clock-skew.ts';
import { AS_OF, FIELDS } from '../class/secret-spec.ts';
import { isOurs } from './ownership.ts';
import type { SecretContent } from './secret-content.ts';
import type { StoredSecret } from './secret-api.ts';

/** What to do about the content of a Secret that is there. */
export type Decision =
  | { readonly kind: 'write' }
  /** It cannot be changed to this: it goes and is made anew. */
  | { readonly kind: 'replace' }
  /** It is as it should be. */
  | { readonly kind: 'equal' }
  /** Another node knows better, as of then (wall). */
  | { readonly kind: 'newer'; readonly confirmedAt: number }
  /** Somebody else's. */
  | { readonly kind: 'refuse' }
  /** Being deleted, which a finalizer holds up. */
  | { readonly kind: 'going' };

/**
 * @param confirmedAt when AWS said that these are the values (wall)
 * @param now wall
 */
export function decide(stored: StoredSecret, desired: SecretContent, confirmedAt: number, now: number): Decision {
  if (!isOurs(stored)) {
    return { kind: 'refuse' };
  }
  if (stored.isTerminating) {
    return { kind: 'going' };
  }
  if (isEqual(stored, desired)) {
    return { kind: 'equal' };
  }
  const storedConfirmedAt = Date.parse(stored.annotations.get(AS_OF) ?? '');
  if (storedConfirmedAt > confirmedAt && isCredible(storedConfirmedAt, now)) {
    return { kind: 'newer', confirmedAt: storedConfirmedAt };
  }
  return { kind: isChangeable(stored, desired) ? 'write' : 'replace' };
}

/** Annotations that go with the content. */
export function ownAnnotations(content: SecretContent, confirmedAt: number): ReadonlyMap<string, string> {
  return new Map([
    ...content.annotations,
    [AS_OF, new Date(confirmedAt).toISOString()],
    [FIELDS, fieldsDigest(content)],
  ]);
}

/**
 * Others may add to a Secret; what we said once and the class no longer says, has to go. Where the digest is missing the driver has
 * written, which toRelease nothing but what the class says.
 */
function isEqual(stored: StoredSecret, desired: SecretContent): boolean {
  const digest = stored.annotations.get(FIELDS);
  return (
    stored.type === desired.type &&
    stored.isImmutable === desired.isImmutable &&
    holdsData(stored, desired) &&
    holdsTexts(stored.labels, desired.labels) &&
    holdsTexts(stored.annotations, desired.annotations) &&
    (digest === undefined || digest === fieldsDigest(desired))
  );
}

/** A type never changes, and of an immutable Secret nothing but its metadata. */
function isChangeable(stored: StoredSecret, desired: SecretContent): boolean {
  return (
    stored.type === desired.type &&
    (!stored.isImmutable ||
      (desired.isImmutable && holdsData(stored, desired) && stored.data.size === desired.data.size))
  );
}

function holdsData(stored: StoredSecret, desired: SecretContent): boolean {
  return [...desired.data].every(([key, value]) => {
    const held = stored.data.get(key);
    return held !== undefined && Buffer.compare(held.expose(), value.expose()) === 0;
  });
}

function holdsTexts(stored: ReadonlyMap<string, string>, desired: ReadonlyMap<string, string>): boolean {
  return [...desired].every(([key, value]) => stored.get(key) === value);
}

/** Of names only: what is said of values, many may read. */
function fieldsDigest({ data, labels, annotations }: SecretContent): string {
  const names = [data, labels, annotations].map((fields) => [...fields.keys()].toSorted());
  return createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 16);
}
