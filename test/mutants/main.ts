// `npm run mutants [-- words]`: puts one bug after another into a copy of the source, those whose names match, and reports which of them the tests detect.
// `npm run mutants -- --simulation [words]`: which of them the simulation detects; without words, of those that it must.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runVitest, type TestRun } from '../run-vitest.ts';
import { FILES, type Mutant } from './files.ts';
import { MUTANTS } from './mutants.ts';
import { openScratch, type Scratch } from './scratch.ts';
import { failureInSimulation } from './simulate.ts';

/** Share of all mutants that must be detected. */
const WANTED = 0.95;
const TIMEOUT_MS = 180_000;

/** What has to detect mutants. */
interface Detector {
  /** Whether it is content with the source as it is. */
  isContent(scratch: Scratch, mutants: readonly Mutant[]): boolean;
  /** @returns how it detects a mutant that the scratch holds; undefined: it does not */
  detects(scratch: Scratch, mutant: Mutant): string | undefined;
}

const TESTS: Detector = {
  isContent: (scratch, mutants) =>
    runTests(
      scratch,
      mutants.flatMap(({ file }) => FILES[file].tests),
    ).ok,
  detects(scratch, mutant) {
    const { failed, unloadable } = runTests(scratch, FILES[mutant.file].tests);
    // Source that cannot even be loaded is not a bug that tests could miss.
    return failed > 0 && unloadable === 0 ? '' : undefined;
  },
};

const SIMULATION: Detector = {
  isContent: ({ root }) => failureInSimulation(root) === undefined,
  detects: ({ root }) => failureInSimulation(root),
};

function runTests({ root }: Scratch, tests: readonly string[]): TestRun {
  const args = ['--project=unit', '--project=contract', '--project=simulation', ...new Set(tests)];
  return runVitest({ root, args, stdio: 'ignore', timeout: TIMEOUT_MS });
}

function detect(detector: Detector, scratch: Scratch, mutant: Mutant): string | undefined {
  using _ = scratch.apply(mutant);
  return detector.detects(scratch, mutant);
}

function runMutants(detector: Detector, scratch: Scratch, mutants: readonly Mutant[]): boolean {
  if (!detector.isContent(scratch, mutants)) {
    console.error('it fails without any mutant: run "npm run check" and "npm run simulate"');
    return false;
  }
  let caught = 0;
  for (const mutant of mutants) {
    const began = performance.now();
    const how = detect(detector, scratch, mutant);
    caught += how === undefined ? 0 : 1;
    const seconds = ((performance.now() - began) / 1_000).toFixed(1).padStart(5);
    console.log(`${how === undefined ? 'NOT CAUGHT' : 'caught    '} ${seconds} s  ${mutant.file}: ${mutant.bug}`);
    if (how) {
      console.log(`             ${how}`);
    }
  }
  console.log(`${caught} of ${mutants.length} mutants caught`);
  return caught >= WANTED * mutants.length;
}

const { values, positionals } = parseArgs({
  options: { simulation: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const words = positionals.join(' ').toLowerCase();
const mutants = MUTANTS.filter(
  ({ bug, file, isSimulated = false }) =>
    `${file}: ${bug}`.toLowerCase().includes(words) && (isSimulated || words !== '' || !values.simulation),
);
using scratch = openScratch(join(import.meta.dirname, '..', '..'));
const detector = values.simulation ? SIMULATION : TESTS;
process.exitCode = mutants.length > 0 && runMutants(detector, scratch, mutants) ? 0 : 1;
