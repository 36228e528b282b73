import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import { createObjectCache } from './object-cache.ts';

const DENIED = new ProviderError('AccessDenied', 'no');

/** A cache that returns only values. */
function newMemory(maxBytes: number) {
  const cache = createObjectCache(SYSTEM_CLOCK, maxBytes);
  return {
    ...cache,
    value(key: string, since: number) {
      const held = cache.get(key, since);
      return held instanceof ProviderError ? undefined : held;
    },
  };
}

type Memory = ReturnType<typeof newMemory>;

function found(text: string, confirmedAt = 0, version = 'v1') {
  return { version, value: SecretBytes.fromText(text), confirmedAt };
}

describe('a value', () => {
  it('is returned up to the maximum age of the caller, counted from the request', () => {
    const memory = newMemory(100);
    memory.put('k', found('text', 1_000));

    expect(memory.value('k', 1_000)?.value.exposeText()).toBe('text');
    expect(memory.value('k', 1_001)).toBeUndefined();
    expect(memory.value('k', 1_000)?.confirmedAt).toBe(1_000);
    expect([memory.version('k', 1_000), memory.version('k', 1_001)]).toEqual([
      { version: 'v1', confirmedAt: 1_000 },
      undefined,
    ]);
  });

  it('is found only by its whole key', () => {
    const memory = newMemory(100);
    memory.put('role-a db', found('of a'));

    expect(memory.value('role-b db', 0)).toBeUndefined();
    expect(memory.version('role-b db', 0)).toBeUndefined();
  });

  it('is replaced by a later one, in value, version and bytes', () => {
    const memory = newMemory(100);
    memory.put('k', found('a long first value', 1));
    memory.put('k', found('short', 2, 'v2'));

    expect(memory.value('k', 2)).toMatchObject({ version: 'v2' });
    expect(memory.value('k', 2)?.value.exposeText()).toBe('short');
  });

  it('does not replace the response to a later request', () => {
    const memory = newMemory(100);
    memory.put('k', found('new', 5_000, 'v2'));
    memory.put('k', found('old', 4_000));

    expect(memory.value('k', 5_000)?.value.exposeText()).toBe('new');
    expect(memory.version('k', 0)).toEqual({ version: 'v2', confirmedAt: 5_000 });
  });

  it('is removed completely once it is denied', () => {
    const memory = newMemory(100);
    memory.put('k', found('text', 1));
    memory.put('k', DENIED);
    memory.put('never known', DENIED);

    expect([memory.value('k', 0), memory.version('k', 0)]).toEqual([undefined, undefined]);
  });
});

describe('space', () => {
  it('is counted in bytes of values, and the least recently used value is evicted first', () => {
    const memory = newMemory(10);
    memory.put('first', found('1234'));
    memory.put('second', found('1234'));
    memory.value('first', 0);
    memory.put('third', found('1234'));

    expect(['first', 'second', 'third'].map((key) => memory.value(key, 0) !== undefined)).toEqual([true, false, true]);
  });

  it('is freed by as many evictions as necessary', () => {
    const memory = newMemory(10);
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      memory.put(key, found('12'));
    }
    memory.put('f', found('1234567'));

    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => memory.value(key, 0) !== undefined)).toEqual(['e', 'f']);
  });

  it('may be filled to the last byte', () => {
    const memory = newMemory(8);
    memory.put('a', found('1234'));
    memory.put('b', found('1234'));

    expect(['a', 'b'].map((key) => memory.value(key, 0)?.value.exposeText())).toEqual(['1234', '1234']);
  });

  it('keeps the version when the value is evicted', () => {
    const memory = newMemory(4);
    memory.put('a', found('1234', 7, 'va'));
    memory.put('b', found('1234', 7, 'vb'));

    expect(memory.value('a', 0)).toBeUndefined();
    expect([memory.version('a', 7)?.version, memory.version('b', 7)?.version]).toEqual(['va', 'vb']);
  });

  it('is not freed for a value that is larger than the whole cache', () => {
    const memory = newMemory(4);
    memory.put('a', found('1234'));
    memory.put('b', found('12345', 0, 'vb'));

    expect(memory.value('a', 0)?.value.exposeText()).toBe('1234');
    expect([memory.value('b', 0), memory.version('b', 0)?.version]).toEqual([undefined, 'vb']);
  });

  it.for([
    ['grew too large', (memory: Memory) => memory.put('a', found('12345', 0, 'v2'))],
    ['shrank', (memory: Memory) => memory.put('a', found('', 0, 'v2'))],
    ['was forgotten', (memory: Memory) => memory.put('a', DENIED)],
    ['gave way', (memory: Memory) => memory.put('b', found('1'))],
  ] as const)('is free again after a value %s', ([, go]) => {
    const memory = newMemory(4);
    memory.put('a', found('1234'));
    go(memory);
    memory.put('b', DENIED);
    memory.put('c', found('12'));
    memory.put('d', found('34'));

    expect([memory.value('c', 0), memory.value('d', 0)].map((held) => held?.value.exposeText())).toEqual(['12', '34']);
  });

  it('of zero keeps versions only, except for empty values', () => {
    const memory = newMemory(0);
    memory.put('a', found('x'));
    memory.put('empty', found(''));

    expect([memory.value('a', 0), memory.version('a', 0)?.version]).toEqual([undefined, 'v1']);
    expect(memory.value('empty', 0)?.value.size).toBe(0);
  });

  it('is bounded in versions too, and the oldest are evicted', () => {
    const memory = newMemory(1_000_000);
    for (let index = 0; index <= 10_000; index += 1) {
      memory.put(`k${index}`, found('12'));
    }

    expect(['k0', 'k1', 'k10000'].map((key) => memory.version(key, 0)?.version)).toEqual([undefined, 'v1', 'v1']);
  });
});
