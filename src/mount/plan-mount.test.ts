import { describe, expect, it } from 'vitest';
import { finish } from '../concurrency/time-slices.ts';
import { ProviderError } from '../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../model/fetched-object.ts';
import type { ObjectSpec } from '../model/mount-spec.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { planMount } from './plan-mount.ts';

const NOW = 100;

function objectOf(path: string, ...aliases: readonly string[]): ObjectSpec {
  const extractions = aliases.map((alias) => ({ expression: alias, alias, path: alias, mode: 0o400 }));
  return {
    store: 'secretsmanager',
    name: path,
    path,
    mode: 0o600,
    primary: { name: path },
    failover: { name: path },
    extractions,
  };
}

function fetched(text: string | Uint8Array, version = 'v1', confirmedAt = 7): FetchedObject {
  const value = typeof text === 'string' ? SecretBytes.fromText(text) : new SecretBytes(text);
  return { version, value, confirmedAt };
}

function plan(objects: FetchedObjects) {
  return finish(planMount(objects, NOW));
}

function large(count: number): FetchedObjects {
  return new Map(
    Array.from({ length: count }, (_, index) => [objectOf(`file-${index}`), fetched(new Uint8Array(65_536))]),
  );
}

describe('planMount', () => {
  it('keeps the files in their order, each with the version of its object', () => {
    const { files, versions } = plan(
      new Map([
        [objectOf('b', 'user'), fetched('{"user": "u"}', 'v1')],
        [objectOf('a'), fetched('text', 'v2')],
      ]),
    );

    expect(files.map(({ path, mode, value }) => [path, mode, value.exposeText()])).toEqual([
      ['b', 0o600, '{"user": "u"}'],
      ['user', 0o400, 'u'],
      ['a', 0o600, 'text'],
    ]);
    expect([...versions]).toEqual([
      ['b', 'v1'],
      ['user', 'v1'],
      ['a', 'v2'],
    ]);
  });

  it('has the confirmation time of the object that AWS confirmed first', () => {
    const objects = new Map([
      [objectOf('a'), fetched('a', 'v1', 9)],
      [objectOf('b'), fetched('b', 'v1', 8)],
    ]);

    expect(plan(objects).confirmedAt).toBe(8);
  });

  it('has one version entry for a volume without files, because the driver refuses an empty list', () => {
    const { files, versions, confirmedAt } = plan(new Map());

    expect([files.length, versions.size, confirmedAt]).toEqual([0, 1, NOW]);
  });

  it('names all failures, of the fetch or after it, and counts those beyond a hundred', () => {
    const objects: FetchedObjects = new Map<ObjectSpec, FetchedObject | ProviderError>([
      [objectOf('gone'), new ProviderError('ObjectNotFound', 'it is gone', { object: 'gone' })],
      [objectOf('b', ...Array.from({ length: 110 }, (_, index) => `none${index}`)), fetched('{}')],
    ]);
    let failure: unknown;
    try {
      plan(objects);
    } catch (error) {
      failure = error;
    }

    expect(failure).toMatchObject({ reason: 'ObjectNotFound', problemCount: 111 });
    expect(failure).toMatchObject({ message: expect.stringMatching(/^111 problems: \(1\) it is gone; .*none0/) });
    expect((failure as ProviderError).problems).toHaveLength(100);
  });

  it('accepts what fits into a response of 4 MiB', () => {
    expect(plan(large(60)).files).toHaveLength(60);
  });

  it('refuses more than that, and names the size', () => {
    expect(() => plan(large(64))).toThrow(ProviderError);
    expect(() => plan(large(64))).toThrow(/4194304 bytes/);
  });

  it('counts extracted values', () => {
    const text = JSON.stringify({ user: 'x'.repeat(40_000) });
    const objects = new Map(
      Array.from({ length: 60 }, (_, index) => [objectOf(`file-${index}`, 'user'), fetched(text)]),
    );

    expect(() => plan(objects)).toThrow(/more than the 4128768 a volume may/);
  });
});
