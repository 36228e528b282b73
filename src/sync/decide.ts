import { createHash } from 'node:crypto';
import { isCredible } from '../model/clock-skew.ts';
import { AS_OF, FIELDS } from '../class/secret-spec.ts';
import type { Verdict } from '../model/downstream.ts';
import { ProviderError } from '../model/errors.ts';
import { quote } from '../text/quote.ts';
import { foreignSecretError, isOurs } from './ownership.ts';
import type { SecretContent, SecretName, StoredSecret } from './secret-api.ts';

export interface ConfirmedContent {
  readonly content: SecretContent;
  /** Wall clock: when AWS confirmed the content. */
  readonly confirmedAt: number;
}

/**
 * What to do with an existing Secret: write its content; replace it, because Kubernetes does not allow this change; or keep it, because it is up to date or
 * newer.
 */
export type Decision = 'write' | 'replace' | Verdict;

/** @param now wall clock. @throws ProviderError if the Secret must not be written */
export function decide(stored: StoredSecret, { content, confirmedAt }: ConfirmedContent, now: number): Decision {
  if (!isOurs(stored)) {
    throw foreignSecretError(stored);
  }
  if (stored.isTerminating) {
    throw beingDeletedError(stored);
  }
  if (isEqual(stored, content)) {
    return {};
  }
  const storedConfirmedAt = Date.parse(stored.annotations.get(AS_OF) ?? '');
  if (storedConfirmedAt > confirmedAt && isCredible(storedConfirmedAt, now)) {
    return { newerConfirmedAt: storedConfirmedAt };
  }
  return isChangeable(stored, content) ? 'write' : 'replace';
}

/** The content to write, with the annotations by which it is recognized later. */
export function annotated({ content, confirmedAt }: ConfirmedContent): SecretContent {
  const annotations = [
    ...content.annotations,
    [AS_OF, new Date(confirmedAt).toISOString()],
    [FIELDS, fieldsDigest(content)],
  ] as const;
  return { ...content, annotations: new Map(annotations) };
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

/** Retryable: a new Secret can be created as soon as this one is deleted. */
function beingDeletedError({ namespace, name }: SecretName): ProviderError {
  return new ProviderError(
    'KubernetesUnavailable',
    `the Secret ${quote(name)} in namespace ${namespace} is being deleted, and is created again after that; if it stays, remove its finalizers`,
  );
}
