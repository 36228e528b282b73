import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PlannedFile } from '../../src/model/mount-plan.ts';

interface Volume {
  readonly targetPath: string;
}

/** Name of the current set of files; undefined: there is none. */
export function setIn({ targetPath }: Volume): string | undefined {
  try {
    return readlinkSync(join(targetPath, '..data'));
  } catch {
    return undefined;
  }
}

/** Text by file, as a container of the pod sees them; a name that leads nowhere has none. */
export function filesIn({ targetPath }: Volume): ReadonlyMap<string, string> {
  return new Map(namesIn(targetPath).map((name) => [name, textOf(join(targetPath, name))]));
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

function namesIn(targetPath: string): readonly string[] {
  return readdirSync(targetPath).filter((name) => !name.startsWith('..'));
}

/** Replaces the files all at once, as the driver does where the provider leaves it the writing. */
export function writeFiles({ targetPath }: Volume, files: readonly PlannedFile[], set: string): void {
  const before = setIn({ targetPath });
  if (before !== undefined && isSame(filesIn({ targetPath }), files)) {
    return;
  }
  mkdirSync(join(targetPath, set));
  for (const { path, value } of files) {
    writeFileSync(join(targetPath, set, path), value.expose());
  }
  symlinkSync(set, join(targetPath, '..next'));
  renameSync(join(targetPath, '..next'), join(targetPath, '..data'));
  const wanted = new Set(files.map(({ path }) => path));
  const present = new Set(namesIn(targetPath));
  wanted.difference(present).forEach((name) => symlinkSync(join('..data', name), join(targetPath, name)));
  present.difference(wanted).forEach((name) => rmSync(join(targetPath, name)));
  if (before !== undefined) {
    rmSync(join(targetPath, before), { recursive: true });
  }
}

function isSame(held: ReadonlyMap<string, string>, files: readonly PlannedFile[]): boolean {
  return (
    held.size === files.length &&
    files.every(({ path, value }) => held.get(path) === Buffer.from(value.expose()).toString())
  );
}

/** As the driver does before it unmounts. */
export function emptyVolume({ targetPath }: Volume): void {
  readdirSync(targetPath).forEach((name) => rmSync(join(targetPath, name), { recursive: true }));
}
