import { describe, expect, it } from 'vitest';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { createValueCache } from './value-cache.ts';

function found(text: string, confirmedAt = 0, version = 'v1') {
  return { version, value: SecretBytes.fromText(text), confirmedAt };
}

describe('an answer', () => {
  it('is returned up to the maximum age of the caller, counted from the request', () => {
    const memory = createValueCache(100);
    memory.put('k', found('text', 1_000));

    expect(memory.found('k', 1_000)?.value.exposeText()).toBe('text');
    expect(memory.found('k', 1_001)).toBeUndefined();
    expect(memory.found('k', 1_000)?.confirmedAt).toBe(1_000);
    expect([memory.version('k', 1_000), memory.version('k', 1_001)]).toEqual([
      { version: 'v1', confirmedAt: 1_000 },
      undefined,
    ]);
  });

  it('is known by its whole key only', () => {
    const memory = createValueCache(100);
    memory.put('role-a db', found('of a'));

    expect(memory.found('role-b db', 0)).toBeUndefined();
    expect(memory.version('role-b db', 0)).toBeUndefined();
  });

  it('gives way to a later one, in value, version and bytes', () => {
    const memory = createValueCache(100);
    memory.put('k', found('a long first value', 1));
    memory.put('k', found('short', 2, 'v2'));

    expect(memory.found('k', 2)).toMatchObject({ version: 'v2' });
    expect(memory.found('k', 2)?.value.exposeText()).toBe('short');
  });

  it('counts for nothing against what a later question was answered', () => {
    const memory = createValueCache(100);
    memory.put('k', found('new', 5_000, 'v2'));
    memory.put('k', found('old', 4_000));

    expect(memory.found('k', 5_000)?.value.exposeText()).toBe('new');
    expect(memory.version('k', 0)).toEqual({ version: 'v2', confirmedAt: 5_000 });
  });

  it('is forgotten whole', () => {
    const memory = createValueCache(100);
    memory.put('k', found('text', 1));
    memory.forget('k');
    memory.forget('never known');

    expect([memory.found('k', 0), memory.version('k', 0)]).toEqual([undefined, undefined]);
  });
});

describe('room', () => {
  it('is counted in bytes of values, and the value used least recently goes first', () => {
    const memory = createValueCache(10);
    memory.put('first', found('1234'));
    memory.put('second', found('1234'));
    memory.found('first', 0);
    memory.put('third', found('1234'));

    expect(['first', 'second', 'third'].map((key) => memory.found(key, 0) !== undefined)).toEqual([true, false, true]);
  });

  it('is made by as many as must go', () => {
    const memory = createValueCache(10);
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      memory.put(key, found('12'));
    }
    memory.put('f', found('1234567'));

    expect(['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => memory.found(key, 0) !== undefined)).toEqual(['e', 'f']);
  });

  it('may be filled to the last byte', () => {
    const memory = createValueCache(8);
    memory.put('a', found('1234'));
    memory.put('b', found('1234'));

    expect(['a', 'b'].map((key) => memory.found(key, 0)?.value.exposeText())).toEqual(['1234', '1234']);
  });

  it('leaves the version when the value goes', () => {
    const memory = createValueCache(4);
    memory.put('a', found('1234', 7, 'va'));
    memory.put('b', found('1234', 7, 'vb'));

    expect(memory.found('a', 0)).toBeUndefined();
    expect([memory.version('a', 7)?.version, memory.version('b', 7)?.version]).toEqual(['va', 'vb']);
  });

  it('is not cleared for a value that would not fit into all of it', () => {
    const memory = createValueCache(4);
    memory.put('a', found('1234'));
    memory.put('b', found('12345', 0, 'vb'));

    expect(memory.found('a', 0)?.value.exposeText()).toBe('1234');
    expect([memory.found('b', 0), memory.version('b', 0)?.version]).toEqual([undefined, 'vb']);
  });

  it.for([
    ['grew too large', (memory: ReturnType<typeof createValueCache>) => memory.put('a', found('12345', 0, 'v2'))],
    ['shrank', (memory: ReturnType<typeof createValueCache>) => memory.put('a', found('', 0, 'v2'))],
    ['was forgotten', (memory: ReturnType<typeof createValueCache>) => memory.forget('a')],
    ['gave way', (memory: ReturnType<typeof createValueCache>) => memory.put('b', found('1'))],
  ] as const)('is free again that was taken by a value that %s', ([, go]) => {
    const memory = createValueCache(4);
    memory.put('a', found('1234'));
    go(memory);
    memory.forget('b');
    memory.put('c', found('12'));
    memory.put('d', found('34'));

    expect([memory.found('c', 0), memory.found('d', 0)].map((held) => held?.value.exposeText())).toEqual(['12', '34']);
  });

  it('of none keeps versions only, but for values without bytes', () => {
    const memory = createValueCache(0);
    memory.put('a', found('x'));
    memory.put('empty', found(''));

    expect([memory.found('a', 0), memory.version('a', 0)?.version]).toEqual([undefined, 'v1']);
    expect(memory.found('empty', 0)?.value.size).toBe(0);
  });

  it('is bounded in versions too, and the oldest go', () => {
    const memory = createValueCache(1_000_000);
    for (let index = 0; index <= 10_000; index += 1) {
      memory.put(`k${index}`, found('12'));
    }

    expect(['k0', 'k1', 'k10000'].map((key) => memory.version(key, 0)?.version)).toEqual([undefined, 'v1', 'v1']);
  });
});
