import { describe, expect, it } from 'vitest';
import { ProviderError } from '../../model/errors.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { ObjectSpec } from '../../model/mount-spec.ts';
import { type FetchIn, fetchWithFailover } from './failover.ts';

const REGIONS = ['first', 'second'] as const;
const OBJECTS = ['a', 'b'].map((name): ObjectSpec => ({
  store: 'secretsmanager',
  name,
  path: name,
  mode: 0o644,
  primary: { name },
  failover: { name: `${name}-replica` },
  extractions: [],
}));
const DOWN = new ProviderError('StoreUnavailable', 'no STS');

/** Responses by region and requested name; objects that are not listed exist. */
function fetchIn(failures: Readonly<Record<string, ProviderError>>, asked: string[] = []): FetchIn {
  return async (region, requests) => {
    asked.push(`${region}: ${requests.map(({ source }) => source.name).join(' ')}`);
    return new Map(
      requests.map(({ object, source }) => [
        object,
        failures[region] ??
          failures[`${region} ${source.name}`] ?? {
            version: `of ${region}`,
            value: SecretBytes.fromText(source.name),
            confirmedAt: 0,
          },
      ]),
    );
  };
}

function failing(reason: ProviderError['reason'], object: string): ProviderError {
  return new ProviderError(reason, `${object}: ${reason}`, { object });
}

describe('failover', () => {
  it('uses the second region for objects whose region is down, by their name there', async () => {
    const asked: string[] = [];
    const failures = { 'first b': failing('StoreUnavailable', 'b') };

    const outcomes = await fetchWithFailover({ regions: REGIONS, objects: OBJECTS }, fetchIn(failures, asked));

    expect(asked).toEqual(['first: a b', 'second: b-replica']);
    expect([...outcomes.values()]).toMatchObject([{ version: 'of first' }, { version: 'of second' }]);
  });

  it('uses the second region for all objects if no request to the first is possible', async () => {
    const outcomes = await fetchWithFailover({ regions: REGIONS, objects: OBJECTS }, fetchIn({ first: DOWN }));

    expect([...outcomes.values()]).toMatchObject([{ version: 'of second' }, { version: 'of second' }]);
  });

  it('keeps the object of a failure in both regions, even if the second fails as a whole', async () => {
    const failures = {
      'first b': failing('StoreUnavailable', 'b'),
      second: new ProviderError('CredentialsRefused', 'no'),
    };

    const outcomes = await fetchWithFailover({ regions: REGIONS, objects: OBJECTS }, fetchIn(failures));

    expect(outcomes.get(OBJECTS[1]!)).toMatchObject({
      reason: 'StoreUnavailable',
      object: 'b',
      message: expect.stringMatching(/; no$/),
    });
  });

  it.for([
    [['first'], { first: DOWN }],
    [REGIONS, { first: new ProviderError('CredentialsRefused', 'no') }],
    [REGIONS, { first: DOWN, second: DOWN }],
  ] as const)('throws once what fails all objects for the same reason: %o', async ([regions, failures]) => {
    await expect(
      fetchWithFailover({ regions: regions as typeof REGIONS, objects: OBJECTS }, fetchIn(failures)),
    ).rejects.toMatchObject({ object: undefined, reason: failures.first.reason });
  });
});
