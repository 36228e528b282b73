import { createHash } from 'node:crypto';
import { isCredible } from '../model/clock-skew.ts';
import { AS_OF, FIELDS } from '../class/secret-spec.ts';
import { isOurs } from './ownership.ts';
import type { SecretContent } from './secret-content.ts';
import type { StoredSecret } from './secret-api.ts';

/** What to do with the content of an existing Secret. */
export type Decision =
  | { readonly kind: 'write' }
  /** Kubernetes does not allow this change: delete the Secret and create it again. */
  | { readonly kind: 'replace' }
  /** The content is up to date. */
  | { readonly kind: 'equal' }
  /** Another node wrote values that AWS confirmed later, at that time (wall clock). */
  | { readonly kind: 'newer'; readonly confirmedAt: number }
  /** Not managed by this provider. */
  | { readonly kind: 'refuse' }
  /** Being deleted, and kept by a finalizer. */
  | { readonly kind: 'terminating' };

/**
 * @param confirmedAt wall clock: when AWS confirmed that these values are current
 * @param now wall clock
 */
export function decide(stored: StoredSecret, desired: SecretContent, confirmedAt: number, now: number): Decision {
  if (!isOurs(stored)) {
    return { kind: 'refuse' };
  }
  if (stored.isTerminating) {
    return { kind: 'terminating' };
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

/** Annotations to write with the content. */
export function ownAnnotations(content: SecretContent, confirmedAt: number): ReadonlyMap<string, string> {
  return new Map([
    ...content.annotations,
    [AS_OF, new Date(confirmedAt).toISOString()],
    [FIELDS, fieldsDigest(content)],
  ]);
}

/**
 * Others may add fields to a Secret. But fields that we wrote once and that the class no longer names must be removed; the digest tells. If it is missing,
 * the driver wrote the Secret, and wrote nothing but what the class names.
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

/** Kubernetes never allows to change the type, and of an immutable Secret only the metadata. */
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

/** A digest of names only, since a digest of values in an annotation would help to guess them. */
function fieldsDigest({ data, labels, annotations }: SecretContent): string {
  const names = [data, labels, annotations].map((fields) => [...fields.keys()].toSorted());
  return createHash('sha256').update(JSON.stringify(names)).digest('hex').slice(0, 16);
}
