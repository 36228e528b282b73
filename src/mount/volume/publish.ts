import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ProviderError } from '../../errors.ts';
import { directoriesOf } from '../../spec/file-path.ts';
import type { PlannedFile } from '../plan.ts';
import { volumeFailure } from './volume-failure.ts';
import { DATA_LINK, findDataDir, readVolume, type Volume } from './volume.ts';

/*
 * The layout is the driver's (its `atomic_writer.go`), so that either may write after the other: files in `..<time>.<random>/`,
 * `..data` a symlink to that directory, visible names symlinks through `..data`. A kill may leave any state between two steps:
 *
 *  1. a directory half filled: nothing points to it.
 *  2. names of files to come, leading nowhere: they cannot be opened, as before. They come before the swap, so that the swap
 *     shows the set whole; and since the driver's writer never makes up for a missing name once the content is equal.
 *  3. `..data` renamed: every name means the new set from this moment on.
 *  4. names of files that went, leading nowhere, and the old directory. What is no part of the set goes last, whoever left it.
 *
 * Plain files, as AWS's provider writes them, are first put into the layout as they are: their content goes through 1 and 3,
 * then a symlink is renamed over each, which opens the same bytes. The rest is a change as any other. A plain directory in the
 * place of a name (no provider makes one) must be moved away first: for that moment the name is missing.
 *
 * Nothing is fsynced: a volume is a tmpfs, and does not outlive a crash of the node.
 */

export interface Published {
  /** Whether files were written. */
  readonly changed: boolean;
  /** Name of the directory that is current now. */
  readonly dataDir: string | undefined;
}

/**
 * Makes a volume hold these files and nothing else, all of them in one moment; writes nothing where that is so already.
 * One call at a time a volume: ask `Volumes.publish`.
 * @param targetPath the volume, a directory
 * @param files no path twice, none below another
 * @param beforeWriting called where something has to be written; what it throws ends the call with nothing changed
 * @throws ProviderError VolumeUnwritable, or the signal's reason: the old files are still there, or (if only clearing up failed) the new ones
 */
export async function publish(
  targetPath: string,
  files: readonly PlannedFile[],
  signal?: AbortSignal,
  beforeWriting: () => Promise<void> = () => Promise.resolve(),
): Promise<Published> {
  try {
    refuseOutside(files);
    signal?.throwIfAborted();
    const found = await readVolume(targetPath);
    const isTakeover = [...found.names.values()].includes('plain');
    if (isTakeover || !holds(found, files)) {
      await beforeWriting();
    }
    if (isTakeover) {
      await place(targetPath, found, found.files, signal);
    }
    const volume = isTakeover ? await readVolume(targetPath) : found;
    const isChange = !holds(volume, files);
    const dataDir = isChange ? await placeToStay(targetPath, volume, files, signal) : volume.dataDir;
    await sweep(targetPath, topNames(files));
    return { changed: isTakeover || isChange, dataDir };
  } catch (error) {
    throw volumeFailure(error, { targetPath, bytes: sizeOf(files) });
  }
}

/**
 * As `place`. While the provider is upgraded two processes look after the same volumes, and the other one may clear a set away, for a leftover, just
 * before it is shown: then it is made once more.
 */
async function placeToStay(
  targetPath: string,
  before: Volume,
  files: readonly PlannedFile[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const dataDir = await place(targetPath, before, files, signal);
  return (await findDataDir(targetPath)) === undefined
    ? await place(targetPath, await readVolume(targetPath), files, signal)
    : dataDir;
}

/**
 * Shows a set whole in place of the one before, or leaves all as it was. Names that went stay, leading nowhere.
 * @returns name of the set's directory
 */
async function place(
  targetPath: string,
  before: Volume,
  files: readonly PlannedFile[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const names = topNames(files);
  const standing = new Set(await readdir(targetPath));
  const time = new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '_');
  let dir: string;
  try {
    dir = await mkdtemp(join(targetPath, `..${time}.`));
    await fill(dir, files, signal);
    for (const name of names.difference(standing)) {
      await symlink(`${DATA_LINK}/${name}`, join(targetPath, name));
    }
    signal?.throwIfAborted();
    await relink(`${dir}.link`, join(targetPath, DATA_LINK), basename(dir));
  } catch (error) {
    // What cannot be removed now goes with the next publish; the first error says more.
    await sweep(targetPath, standing).catch(() => undefined);
    throw error;
  }
  for (const name of names) {
    if ((before.names.get(name) ?? 'linked') !== 'linked') {
      await relink(`${dir}.link`, join(targetPath, name), `${DATA_LINK}/${name}`);
    }
  }
  return basename(dir);
}

/** Modes are set apart from creation, whatever the umask; nobody but us looks in before all is there. */
async function fill(dir: string, files: readonly PlannedFile[], signal: AbortSignal | undefined): Promise<void> {
  for (const folder of new Set(files.flatMap(({ path }) => directoriesOf(path)))) {
    await mkdir(join(dir, folder));
    await chmod(join(dir, folder), 0o755);
  }
  for (const { path, mode, value } of files) {
    signal?.throwIfAborted();
    try {
      // Exclusive creation follows no symlink.
      await writeFile(join(dir, path), value.expose(), { flag: 'wx', mode: 0o600 });
      await chmod(join(dir, path), mode);
    } catch (error) {
      throw volumeFailure(error, { targetPath: dir, path, bytes: sizeOf(files) });
    }
  }
  await chmod(dir, 0o755);
}

/** Puts a symlink where another one, a file or nothing stands, in one step. */
async function relink(temporary: string, link: string, to: string): Promise<void> {
  await symlink(to, temporary);
  try {
    await rename(temporary, link);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EISDIR')) {
      throw error;
    }
    await rename(link, `${temporary}.replaced`);
    await rename(temporary, link);
  }
}

/** Removes all that is neither the current set nor one of these names. */
async function sweep(targetPath: string, names: ReadonlySet<string>): Promise<void> {
  const dataDir = await findDataDir(targetPath);
  for (const name of await readdir(targetPath)) {
    if (name !== DATA_LINK && name !== dataDir && !names.has(name)) {
      await rm(join(targetPath, name), { recursive: true, force: true });
    }
  }
}

function holds({ dataDir, files: present }: Volume, files: readonly PlannedFile[]): boolean {
  const byPath = new Map(present.map((file) => [file.path, file]));
  return (
    dataDir !== undefined &&
    present.length === files.length &&
    files.every(({ path, mode, value }) => {
      const file = byPath.get(path);
      return file?.mode === mode && Buffer.compare(file.value.expose(), value.expose()) === 0;
    })
  );
}

/** Paths are checked where a class is read; this one is for what slips through there. */
function refuseOutside(files: readonly PlannedFile[]): void {
  for (const { path } of files) {
    const isInside =
      !path.startsWith('..') &&
      !path.includes('\0') &&
      path.split('/').every((part) => !['', '.', '..'].includes(part));
    if (!isInside) {
      throw new ProviderError('Internal', `"${path}" is no path inside a volume`);
    }
  }
}

function topNames(files: readonly PlannedFile[]): Set<string> {
  return new Set(files.map(({ path }) => path.replace(/\/.*/s, '')));
}

function sizeOf(files: readonly PlannedFile[]): number {
  return files.reduce((sum, { value }) => sum + value.size, 0);
}
