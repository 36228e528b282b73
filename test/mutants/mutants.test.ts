import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FILES } from './files.ts';
import { MUTANTS } from './mutants.ts';
import { mutated } from './scratch.ts';

const ROOT = join(import.meta.dirname, '..', '..');

it.for(MUTANTS)('finds its text exactly once in the current source: $file: $bug', (mutant) => {
  const source = readFileSync(join(ROOT, FILES[mutant.file].source), 'utf8');

  expect(mutated(source, mutant)).not.toBe(source);
});

it.for(Object.values(FILES).flatMap(({ tests }) => tests))('names tests that exist: %s', (test) => {
  expect(globSync(`${test}*`, { cwd: ROOT })).not.toEqual([]);
});

it('names each bug once', () => {
  expect(MUTANTS.map(({ bug }) => bug)).toEqual([...new Set(MUTANTS.map(({ bug }) => bug))]);
});

it('mutates each file of the table', () => {
  expect(new Set(MUTANTS.map(({ file }) => file))).toEqual(new Set(Object.keys(FILES)));
});

it('refuses a mutant whose text does not occur, or occurs twice', () => {
  const mutant = { bug: 'b', file: 'identity', find: 'x', replace: 'y' } as const;

  expect(mutated('a x b', mutant)).toBe('a y b');
  expect(() => mutated('a b', mutant)).toThrow(RangeError);
  expect(() => mutated('x x', mutant)).toThrow(RangeError);
});
