import { constants, type Dirent, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ProviderError } from '../../model/errors.ts';
import type { Steps } from '../../concurrency/time-slices.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { type OpenFile, openFile, type OpenTarget, openTarget } from './open-directory.ts';
import { MAX_DEPTH } from './remove-tree.ts';
import { volumeFailure } from './volume-failure.ts';

/** Symlink to the directory of the current set, in the driver's layout (its `atomic_writer.go`). */
export const DATA_LINK = '..data';

/** A symlink of the layout; a file or directory, as AWS's provider writes files; or something no provider makes. */
export type NameKind = 'linked' | 'plain' | 'foreign';

export interface Volume {
  /** Name of the current set's directory, if there is a set. */
  readonly dataDir: string | undefined;
  /** What stands at each visible top-level name. */
  readonly names: ReadonlyMap<string, NameKind>;
  /** Every file a pod can open. Its mode has the bits above 0o777 too. */
  readonly files: readonly PlannedFile[];
}

/** More than a volume is ever filled with; what others put there must not fill this process. Bytes, and names. */
const MAX_BYTES = 64 * 2 ** 20;
const MAX_NAMES = 20_000;

/** What may still be read. */
interface Allowance {
  bytes: number;
  names: number;
}

/**
 * What is in a volume now. Follows no symlinks but the layout's own. Not while another writes: ask `Volumes.read`.
 * @throws ProviderError VolumeUnwritable
 */
export function* readVolume(targetPath: string, openVolume: OpenTarget = openTarget): Steps<Volume> {
  try {
    using volume = openVolume(targetPath);
    return yield* readVolumeAt(volume.at, targetPath);
  } catch (error) {
    throw volumeFailure(error, { targetPath, path: targetPath });
  }
}

/**
 * The same of a volume that is open.
 * @param targetPath for messages
 * @throws ProviderError VolumeUnwritable
 */
export function* readVolumeAt(at: string, targetPath: string): Steps<Volume> {
  try {
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
  } catch (error) {
    throw volumeFailure(error, { targetPath, at });
  }
}

/** Where `..data` leads, if that is a directory beside it and no way out of the volume. */
export function findDataDir(at: string): string | undefined {
  const link = ifThere(() => readlinkSync(join(at, DATA_LINK)));
  if (link === undefined || !/^\.\.[^/]+$/.test(link)) {
    return undefined;
  }
  const stat = ifThere(() => lstatSync(join(at, link)));
  return stat?.isDirectory() ? link : undefined;
}

function kindOf(at: string, entry: Dirent): NameKind {
  if (entry.isSymbolicLink()) {
    return readlinkSync(join(at, entry.name)) === `${DATA_LINK}/${entry.name}` ? 'linked' : 'foreign';
  }
  return entry.isFile() || entry.isDirectory() ? 'plain' : 'foreign';
}

/** The files of one name of the current set. */
function* readLinked(at: string, dataDir: string, name: string, left: Allowance): Steps<PlannedFile[]> {
  using directory = openToRead(join(at, dataDir));
  return directory === undefined ? [] : yield* readTree(directory.at, name, left);
}

/** A directory is read as the one that was opened, so that a symlink which takes its place leads nowhere. */
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

/** A file or directory that is no symlink; undefined for all else. Nothing waits for the other end of a pipe. */
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
      `the volume holds more than ${MAX_BYTES / 2 ** 20} MiB, ${MAX_NAMES} names or ${MAX_DEPTH} directories in each other, which the provider never put there: start the pod anew`,
    );
  }
}

const NOT_THERE = new Set(['ENOENT', 'EINVAL', 'ELOOP', 'ENXIO']);

/** EINVAL is readlink's word for what is no symlink, ELOOP that of an open for what has become one. */
function ifThere<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_THERE.has(String(error.code))) {
      return undefined;
    }
    throw error;
  }
}
