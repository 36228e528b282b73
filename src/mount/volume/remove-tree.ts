import { readdirSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { hasCode, ProviderError } from '../../model/errors.ts';
import type { Steps } from '../../concurrency/time-slices.ts';
import { openDirectory } from './open-directory.ts';

/** Deeper than any path that a class can name. */
export const MAX_DEPTH = 256;

/**
 * Removes a file, a symlink or a directory with its content. Works on open directory handles, so replacing a directory by a symlink meanwhile has no effect.
 * Does not remove what is mounted below.
 * @param at the directory that contains it
 * @throws an error of the file system; ProviderError VolumeUnwritable
 */
export function* removeTree(at: string, name: string, depth = 0): Steps<void> {
  yield;
  try {
    unlinkSync(`${at}/${name}`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) {
      return;
    }
    if (!hasCode(error, 'EISDIR', 'EPERM', 'EBUSY')) {
      throw error;
    }
    yield* removeDirectory(at, name, depth);
  }
}

function* removeDirectory(at: string, name: string, depth: number): Steps<void> {
  if (depth > MAX_DEPTH) {
    throw new ProviderError('VolumeUnwritable', `the volume has directories more than ${MAX_DEPTH} deep`);
  }
  try {
    using directory = openDirectory(`${at}/${name}`);
    if (directory.stat.dev === statSync(at).dev) {
      for (const inner of readdirSync(directory.at)) {
        yield* removeTree(directory.at, inner, depth + 1);
      }
    }
    rmdirSync(`${at}/${name}`);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) {
      throw error;
    }
  }
}
