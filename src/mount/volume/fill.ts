import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import type { Steps } from '../../concurrency/time-slices.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { openDirectory } from './open-directory.ts';
import { volumeFailure } from './volume-failure.ts';

/** Writes files into an empty directory. Modes are set after creation, because the umask would change them. The directory is not visible to pods yet. */
export function* fill(dir: string, files: readonly PlannedFile[]): Steps<void> {
  using directory = openDirectory(dir);
  yield* fillDirectory(directory.at, '', files, sizeOf(files));
  chmodSync(directory.at, 0o755);
}

/**
 * Works on open directory handles: replacing a directory by a symlink meanwhile has no effect.
 * @param prefix path of this directory in the set, with a trailing slash
 * @param files all files below it
 * @param bytes size of the whole set
 */
function* fillDirectory(at: string, prefix: string, files: readonly PlannedFile[], bytes: number): Steps<void> {
  for (const [name, below] of Map.groupBy(files, ({ path }) => path.slice(prefix.length).replace(/\/.*/s, ''))) {
    yield;
    const path = prefix + name;
    try {
      const [file] = below;
      if (file?.path === path) {
        writeNew(`${at}/${name}`, file);
      } else {
        mkdirSync(`${at}/${name}`);
        using directory = openDirectory(`${at}/${name}`);
        chmodSync(directory.at, 0o755);
        yield* fillDirectory(directory.at, `${path}/`, below, bytes);
      }
    } catch (error) {
      throw volumeFailure(error, { targetPath: at, path, bytes });
    }
  }
}

function writeNew(path: string, { mode, value }: PlannedFile): void {
  // Exclusive creation follows no symlink.
  const fd = openSync(path, 'wx', 0o600);
  try {
    writeFileSync(fd, value.expose());
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

export function sizeOf(files: readonly PlannedFile[]): number {
  return files.reduce((sum, { value }) => sum + value.size, 0);
}
