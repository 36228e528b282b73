import { constants, type Dirent } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ProviderError } from '../../errors.ts';
import { SecretBytes } from '../../secret-bytes.ts';
import type { PlannedFile } from '../plan.ts';
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

/**
 * What is in a volume now. Follows no symlinks but the layout's own. Not while another writes: ask `Volumes.read`.
 * @throws ProviderError VolumeUnwritable
 */
export async function readVolume(targetPath: string): Promise<Volume> {
  try {
    if (!(await lstat(resolve(targetPath))).isDirectory()) {
      throw new ProviderError(
        'VolumeUnwritable',
        `"${targetPath}" is no directory, so not the volume the driver mounted`,
      );
    }
    const dataDir = await findDataDir(targetPath);
    const names = new Map<string, NameKind>();
    const files: PlannedFile[] = [];
    for (const entry of await readdir(targetPath, { withFileTypes: true })) {
      if (entry.name.startsWith('..')) {
        continue;
      }
      const kind = await kindOf(targetPath, entry);
      names.set(entry.name, kind);
      if (kind === 'plain') {
        files.push(...(await readTree(targetPath, entry.name)));
      } else if (kind === 'linked' && dataDir !== undefined) {
        files.push(...(await readTree(join(targetPath, dataDir), entry.name)));
      }
    }
    return { dataDir, names, files };
  } catch (error) {
    throw volumeFailure(error, { targetPath });
  }
}

/** Where `..data` leads, if that is a directory beside it and no way out of the volume. */
export async function findDataDir(targetPath: string): Promise<string | undefined> {
  const link = await ifThere(readlink(join(targetPath, DATA_LINK)));
  if (link === undefined || !/^\.\.[^/]+$/.test(link)) {
    return undefined;
  }
  const stat = await ifThere(lstat(join(targetPath, link)));
  return stat?.isDirectory() ? link : undefined;
}

async function kindOf(targetPath: string, entry: Dirent): Promise<NameKind> {
  if (entry.isSymbolicLink()) {
    return (await readlink(join(targetPath, entry.name))) === `${DATA_LINK}/${entry.name}` ? 'linked' : 'foreign';
  }
  return entry.isFile() || entry.isDirectory() ? 'plain' : 'foreign';
}

async function readTree(root: string, path: string): Promise<PlannedFile[]> {
  const fullPath = join(root, path);
  const stat = await ifThere(lstat(fullPath));
  if (stat?.isDirectory()) {
    const trees = (await readdir(fullPath)).map((name) => readTree(root, `${path}/${name}`));
    return (await Promise.all(trees)).flat();
  }
  if (!stat?.isFile()) {
    return [];
  }
  const bytes = await readFile(fullPath, { flag: constants.O_RDONLY | constants.O_NOFOLLOW });
  return [{ path, mode: stat.mode & 0o7777, value: new SecretBytes(bytes) }];
}

/** EINVAL is readlink's word for what is no symlink. */
async function ifThere<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'EINVAL')) {
      return undefined;
    }
    throw error;
  }
}
