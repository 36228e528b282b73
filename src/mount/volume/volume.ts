import { constants, type Dirent, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, ProviderError } from '../../model/errors.ts';
import type { Steps } from '../../concurrency/time-slices.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { type OpenFile, openFile, type OpenTarget, openTarget } from './open-directory.ts';
import { MAX_DEPTH } from './remove-tree.ts';
import { volumeFailure } from './volume-failure.ts';

/** Symlink to the directory of the current set, in the driver's layout (its `atomic_writer.go`). */
export const DATA_LINK = '..data';

/** A symlink of the layout; a plain file or directory, as AWS's provider writes them; or something that no provider makes. */
type NameKind = 'linked' | 'plain' | 'foreign';

export interface Volume {
  /** Name of the directory of the current set, if there is one. */
  readonly dataDir: string | undefined;
  /** Kind of each visible top-level name. */
  readonly names: ReadonlyMap<string, NameKind>;
  /** Every file that a pod can open. Modes include the bits above 0o777. */
  readonly files: readonly PlannedFile[];
}

/** More than the provider ever writes. The bounds keep a pod with a writable volume from filling our memory. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_NAMES = 20_000;

/** The rest of the bounds. */
interface Allowance {
  bytes: number;
  names: number;
}

/**
 * Runs work on an open volume.
 * @param bytes size of the set to be written, for messages
 * @throws ProviderError VolumeUnwritable for errors of the file system, or what the work throws
 */
export function* inVolume<Result>(
  openVolume: OpenTarget,
  targetPath: string,
  work: (at: string) => Steps<Result>,
  bytes = 0,
): Steps<Result> {
  let at: string | undefined;
  try {
    using volume = openVolume(targetPath);
    ({ at } = volume);
    return yield* work(at);
  } catch (error) {
    throw volumeFailure(error, { targetPath, bytes, ...(at === undefined ? { path: targetPath } : { at }) });
  }
}

/**
 * Reads the content of a volume. Follows only the symlinks of the layout. Must not run during a write: use `Volumes.read`.
 * @throws ProviderError VolumeUnwritable
 */
export function readVolume(targetPath: string, openVolume: OpenTarget = openTarget): Steps<Volume> {
  return inVolume(openVolume, targetPath, readVolumeAt);
}

/** Like `readVolume`, for an open volume. */
export function* readVolumeAt(at: string): Steps<Volume> {
  const dataDir = findDataDir(at);
  const names = new Map<string, NameKind>();
  const files: PlannedFile[] = [];
  const left = { bytes: MAX_BYTES, names: MAX_NAMES };
  for (const entry of readdirSync(at, { withFileTypes: true })) {
    yield;
    if (entry.name.startsWith('..')) {
      continue;
    }
    const kind = kindOf(at, entry);
    names.set(entry.name, kind);
    if (kind === 'plain') {
      files.push(...(yield* readTree(at, entry.name, left)));
    } else if (kind === 'linked' && dataDir !== undefined) {
      files.push(...(yield* readLinked(at, dataDir, entry.name, left)));
    }
  }
  return { dataDir, names, files };
}

/** @returns the target of `..data`, if it is a directory next to it, and so inside the volume */
export function findDataDir(at: string): string | undefined {
  const link = ifThere(() => readlinkSync(join(at, DATA_LINK)));
  if (link === undefined || !/^\.\.[^/]+$/.test(link)) {
    return undefined;
  }
  const stat = ifThere(() => lstatSync(join(at, link)));
  return stat?.isDirectory() ? link : undefined;
}

/** Top-level names that these files need. */
export function topNames(files: readonly Pick<PlannedFile, 'path'>[]): Set<string> {
  return new Set(files.map(({ path }) => path.replace(/\/.*/s, '')));
}

function kindOf(at: string, entry: Dirent): NameKind {
  if (entry.isSymbolicLink()) {
    return readlinkSync(join(at, entry.name)) === `${DATA_LINK}/${entry.name}` ? 'linked' : 'foreign';
  }
  return entry.isFile() || entry.isDirectory() ? 'plain' : 'foreign';
}

/** Reads the files below one name of the current set. */
function* readLinked(at: string, dataDir: string, name: string, left: Allowance): Steps<PlannedFile[]> {
  using directory = openToRead(join(at, dataDir));
  return directory === undefined ? [] : yield* readTree(directory.at, name, left);
}

/** Reads from an open directory handle, so that replacing it by a symlink meanwhile has no effect. */
function* readTree(at: string, path: string, left: Allowance, name = path): Steps<PlannedFile[]> {
  yield;
  left.names -= 1;
  using file = openToRead(join(at, name));
  if (file === undefined) {
    return [];
  }
  if (file.stat.isDirectory()) {
    const files: PlannedFile[] = [];
    for (const inner of readdirSync(file.at)) {
      refuseTooMuch(left, path);
      files.push(...(yield* readTree(file.at, `${path}/${inner}`, left, inner)));
    }
    return files;
  }
  left.bytes -= file.stat.size;
  refuseTooMuch(left, path);
  return [{ path, mode: file.stat.mode & 0o7777, value: new SecretBytes(readFileSync(file.fd)) }];
}

/** Opens a file or directory. @returns undefined for symlinks and all else. Does not block on a pipe */
function openToRead(path: string): OpenFile | undefined {
  const there = ifThere(() => lstatSync(path));
  if (there === undefined || !(there.isFile() || there.isDirectory())) {
    return undefined;
  }
  const file = ifThere(() => openFile(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
  if (file?.stat.isFile() || file?.stat.isDirectory()) {
    return file;
  }
  file?.[Symbol.dispose]();
  return undefined;
}

function refuseTooMuch({ bytes, names }: Allowance, path: string): void {
  if (bytes < 0 || names < 0 || path.split('/').length > MAX_DEPTH) {
    throw new ProviderError(
      'VolumeUnwritable',
      `the volume has more than ${MAX_BYTES / 2 ** 20} MiB, ${MAX_NAMES} names or ${MAX_DEPTH} nested directories, which the provider did not write: recreate the pod`,
    );
  }
}

/** readlink reports EINVAL for anything but a symlink; open reports ELOOP for a symlink. */
function ifThere<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL', 'ELOOP', 'ENXIO')) {
      return undefined;
    }
    throw error;
  }
}
