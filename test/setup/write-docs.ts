// Writes the flag table into the README; with --check only checks that it is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flagsMarkdown } from '../../src/config/describe-flags.ts';

const file = join(import.meta.dirname, '..', '..', 'README.md');
const text = readFileSync(file, 'utf8');
const wanted = text.replace(
  /(<!-- flags -->\n)[^]*(<!-- \/flags -->)/,
  (_, open: string, close: string) => `${open}\n${flagsMarkdown()}\n\n${close}`,
);

if (process.argv.includes('--check')) {
  if (text !== wanted) {
    console.error('README.md: the flag table is not that of src/config/flags.ts: run "npm run docs"');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, wanted);
}
