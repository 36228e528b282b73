import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FILES, type Mutant } from './files.ts';

const COPIED = ['src', 'test', 'proto', 'deploy', 'package.json', 'tsconfig.json'];
/** Too large to copy, and never changed. */
const LINKED = ['node_modules', '.cache'];

/** A copy of a checkout, for mutants. */
export interface Scratch extends Disposable {
  readonly root: string;
  /** Applies the mutant until the handle is disposed of. */
  apply(mutant: Mutant): Disposable;
}

export function openScratch(checkout: string): Scratch {
  const root = mkdtempSync(join(tmpdir(), 'mutants-'));
  for (const name of COPIED) {
    cpSync(join(checkout, name), join(root, name), { recursive: true });
  }
  for (const name of LINKED) {
    symlinkSync(join(checkout, name), join(root, name));
  }
  return {
    root,
    apply(mutant) {
      const path = join(root, FILES[mutant.file].source);
      const sound = readFileSync(path, 'utf8');
      writeFileSync(path, mutated(sound, mutant));
      return { [Symbol.dispose]: () => writeFileSync(path, sound) };
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true }),
  };
}

/** @throws RangeError if the mutant's text does not occur exactly once */
export function mutated(source: string, { bug, file, find, replace }: Mutant): string {
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new RangeError(`"${bug}": ${FILES[file].source} holds ${parts.length - 1} times, not once: ${find}`);
  }
  return parts.join(replace);
}
