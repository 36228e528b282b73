import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const SRC = join(import.meta.dirname, '..', '..', 'src');
/** A file of the source, with as much of its folders as one needs to find it. */
const SOURCE_FILE = /`(?<name>[\w./-]+\.ts)`/g;

it('src/README.md names only files that exist', () => {
  const files = globSync('**/*.ts', { cwd: SRC });
  const text = readFileSync(join(SRC, 'README.md'), 'utf8');
  const names = Array.from(text.matchAll(SOURCE_FILE), ({ groups }) => groups?.['name'] ?? '');
  const missing = names.filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)));

  expect(names.length).toBeGreaterThan(20);
  expect([...new Set(missing)]).toEqual([]);
});
