// `npm run mutants [-- words]`: puts one bug after another into a copy of the source, those whose names match, and reports which of them the tests detect.
import { join } from 'node:path';
import { runVitest, type TestRun } from '../run-vitest.ts';
import { FILES, type Mutant } from './files.ts';
import { MUTANTS } from './mutants.ts';
import { openScratch, type Scratch } from './scratch.ts';

/** Share of all mutants that must be detected. */
const WANTED = 0.95;
const TIMEOUT_MS = 180_000;

function runTests({ root }: Scratch, tests: readonly string[]): TestRun {
  const args = ['--project=unit', '--project=contract', '--project=simulation', ...new Set(tests)];
  return runVitest({ root, args, stdio: 'ignore', timeout: TIMEOUT_MS });
}

/** A failed test is what counts: source that cannot even be loaded is not a bug that tests could miss. */
function isCaught(scratch: Scratch, mutant: Mutant): boolean {
  using _ = scratch.apply(mutant);
  const { failed, unloadable } = runTests(scratch, FILES[mutant.file].tests);
  return failed > 0 && unloadable === 0;
}

function runMutants(scratch: Scratch, mutants: readonly Mutant[]): boolean {
  const sound = runTests(
    scratch,
    mutants.flatMap(({ file }) => FILES[file].tests),
  );
  if (!sound.ok) {
    console.error('the tests fail without any mutant: run "npm run check"');
    return false;
  }
  let caught = 0;
  for (const mutant of mutants) {
    const began = performance.now();
    const outcome = isCaught(scratch, mutant);
    caught += outcome ? 1 : 0;
    const seconds = ((performance.now() - began) / 1_000).toFixed(1).padStart(5);
    console.log(`${outcome ? 'caught    ' : 'NOT CAUGHT'} ${seconds} s  ${mutant.file}: ${mutant.bug}`);
  }
  console.log(`${caught} of ${mutants.length} mutants caught`);
  return caught >= WANTED * mutants.length;
}

const words = process.argv.slice(2).join(' ').toLowerCase();
const mutants = MUTANTS.filter(({ bug, file }) => `${file}: ${bug}`.toLowerCase().includes(words));
using scratch = openScratch(join(import.meta.dirname, '..', '..'));
process.exitCode = mutants.length > 0 && runMutants(scratch, mutants) ? 0 : 1;
