import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import type { Steps } from '../../concurrency/time-slices.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { openDirectory } from './open-directory.ts';
import { volumeFailure } from './volume-failure.ts';

/** Writes files into a directory that is empty. Modes are set apart from creation, whatever the umask; nobody but us looks in before all is there. */
export function* fill(dir: string, files: readonly PlannedFile[]): Steps<void> {
  using directory = openDirectory(dir);
  yield* fillDirectory(directory.at, '', files, sizeOf(files));
  chmodSync(directory.at, 0o755);
}

/**
 * What is made is worked on as what was opened: a symlink that takes its place meanwhile leads nowhere.
 * @param prefix path of this directory in the set, with a slash behind it
 * @param files all that are below it
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
