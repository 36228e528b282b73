import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
/** Not an attack: it tests the harness of the others. */
const NO_ATTACKS = ['harness'];

/** Names in the last column of a table whose heading there is `test`. */
function testsNamed(): readonly string[] {
  const text = readFileSync(join(ROOT, 'docs', 'threat-model.md'), 'utf8');
  const tables = text.match(/^\| attack \|.*\| test \|\n(?:\|.*\n)+/gm) ?? [];
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(2));
  return rows.flatMap((row) => {
    const names = [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    return names.length > 0 ? names : [`(none) ${row}`];
  });
}

describe('the threat model', () => {
  it('names a test for every attack, and every test', () => {
    const files = readdirSync(join(ROOT, 'test', 'attacks')).filter((name) => name.endsWith('.test.ts'));
    const tests = files.map((name) => name.replace(/\.test\.ts$/, '')).filter((name) => !NO_ATTACKS.includes(name));

    const named = [...new Set(testsNamed())];
    const elsewhere = named.filter((name) => name.includes('/'));
    expect(named.filter((name) => !elsewhere.includes(name)).toSorted()).toEqual(tests.toSorted());
    expect(elsewhere.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });
});
