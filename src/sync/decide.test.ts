import { describe, expect, it } from 'vitest';
import type { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { annotated, decide } from './decide.ts';
import type { SecretContent, StoredSecret } from './secret-api.ts';

const NOW = 1_000_000;
const AS_OF = 500_000;
const DESIRED: SecretContent = {
  type: 'Opaque',
  isImmutable: false,
  labels: new Map([['secrets-store.csi.k8s.io/managed', 'true']]),
  annotations: new Map([['note', 'x']]),
  data: bytes({ a: '1', b: '2' }),
};
const STORED: StoredSecret = {
  namespace: 'shop',
  name: 'db',
  uid: 'uid',
  resourceVersion: '1',
  isTerminating: false,
  owners: [],
  managedFields: [],
  appliers: new Set(['aws-secrets-csi']),
  ...annotated({ content: DESIRED, confirmedAt: AS_OF }),
};

function bytes(texts: Readonly<Record<string, string>>) {
  return new Map(Object.entries(texts).map(([key, text]) => [key, SecretBytes.fromText(text)]));
}

/** Stored with this confirmation time, and another value. */
function other(confirmedAt: number | string): Partial<StoredSecret> {
  const time = typeof confirmedAt === 'string' ? confirmedAt : new Date(confirmedAt).toISOString();
  return { data: bytes({ a: '1', b: '3' }), annotations: new Map([['aws-secrets-csi/as-of', time]]) };
}

describe('decide', () => {
  it.for<[string, Partial<StoredSecret>, Partial<SecretContent>, ReturnType<typeof outcomeOf>]>([
    ['the same', {}, {}, 'equal'],
    ['the same as of any time', annotated({ content: DESIRED, confirmedAt: NOW }), {}, 'equal'],
    ['the same, as the driver writes it', { annotations: DESIRED.annotations, appliers: new Set() }, {}, 'equal'],
    ['the same and more of others', { data: bytes({ a: '1', b: '2', c: '3' }) }, {}, 'equal'],
    ['a key of ours too many', {}, { data: bytes({ a: '1' }) }, 'write'],
    ['an annotation of ours too many', {}, { annotations: new Map() }, 'write'],
    ['a label of ours too many', { labels: new Map([...DESIRED.labels, ['l', 'm']]) }, {}, 'equal'],
    ['a key too few', { data: bytes({ a: '1' }) }, {}, 'write'],
    ['another value', { data: bytes({ a: '1', b: '3' }) }, {}, 'write'],
    ['another label', {}, { labels: new Map([...DESIRED.labels, ['l', 'm']]) }, 'write'],
    ["without the driver's label", { labels: new Map() }, {}, 'write'],
    ['another annotation', {}, { annotations: new Map([['note', 'y']]) }, 'write'],
    ['older values', other(AS_OF - 1), {}, 'write'],
    ['other values as of the same moment', other(AS_OF), {}, 'write'],
    ['newer values', other(AS_OF + 1), {}, 'newer'],
    ['newer values, by a clock that is ahead', other(NOW + 60_000), {}, 'newer'],
    ['values of the future', other(NOW + 60_001), {}, 'write'],
    ['values of no time', other('yesterday'), {}, 'write'],
    ['newer values of another type', { ...other(AS_OF + 1), type: 'x' }, {}, 'newer'],
    ['another type', { type: 'x' }, {}, 'replace'],
    ['not yet immutable', {}, { isImmutable: true }, 'write'],
    ['immutable, and not to be', { isImmutable: true }, {}, 'replace'],
    ['immutable, the same', { isImmutable: true }, { isImmutable: true }, 'equal'],
    [
      'immutable, another label',
      { isImmutable: true, labels: new Map(), appliers: new Set(['aws-secrets-csi']) },
      { isImmutable: true },
      'write',
    ],
    ['immutable, another value', { isImmutable: true, ...other(AS_OF) }, { isImmutable: true }, 'replace'],
    ['immutable, a key too many', { isImmutable: true }, { isImmutable: true, data: bytes({ a: '1' }) }, 'replace'],
    ["another manager's", { appliers: new Set(['helm']), labels: new Map() }, {}, 'SecretRefused'],
    [
      "another manager's, terminating",
      { appliers: new Set(), labels: new Map(), isTerminating: true },
      {},
      'SecretRefused',
    ],
    ['terminating', { isTerminating: true }, {}, 'KubernetesUnavailable'],
  ])('for a Secret that is %s', ([, stored, desired, outcome]) => {
    expect(outcomeOf({ ...STORED, ...stored }, { ...DESIRED, ...desired })).toBe(outcome);
  });

  it('returns when newer values were confirmed', () => {
    const newer = { ...STORED, ...other(AS_OF + 7) };

    expect(decide(newer, { content: DESIRED, confirmedAt: AS_OF }, NOW)).toEqual({ newerConfirmedAt: AS_OF + 7 });
  });
});

describe('annotated', () => {
  it('do not reveal the values', () => {
    const others = { ...DESIRED, data: bytes({ a: 'x', b: 'y' }) };

    expect(annotated({ content: others, confirmedAt: AS_OF }).annotations).toEqual(STORED.annotations);
  });

  it('have the time in milliseconds', () => {
    const { annotations } = annotated({ content: DESIRED, confirmedAt: 1_234 });

    expect(annotations.get('aws-secrets-csi/as-of')).toBe('1970-01-01T00:00:01.234Z');
  });
});

function outcomeOf(stored: StoredSecret, content: SecretContent) {
  try {
    const decision = decide(stored, { content, confirmedAt: AS_OF }, NOW);
    if (typeof decision === 'string') {
      return decision;
    }
    return decision.newerConfirmedAt === undefined ? 'equal' : 'newer';
  } catch (error) {
    return (error as ProviderError).reason;
  }
}
