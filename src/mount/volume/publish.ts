import { mkdtempSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { ProviderError } from '../../model/errors.ts';
import { type Steps, toTheEnd } from '../../concurrency/time-slices.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { fill, sizeOf } from './fill.ts';
import { type OpenTarget, openTarget } from './open-directory.ts';
import { removeTree } from './remove-tree.ts';
import { volumeFailure } from './volume-failure.ts';
import { DATA_LINK, findDataDir, readVolumeAt, type Volume } from './volume.ts';

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

export interface PublishOptions {
  readonly openVolume?: OpenTarget;
  /** Called where something has to be written; what it throws ends the call with nothing changed. */
  readonly beforeWriting?: () => void;
}

/**
 * Makes a volume hold these files and nothing else, all of them in one moment; writes nothing where that is so already.
 * One call at a time a volume: ask `Volumes.publish`.
 * @param targetPath the volume, a directory
 * @param files no path twice, none below another
 * @throws ProviderError VolumeUnwritable: the old files are still there, or (if only clearing up failed) the new ones. What is thrown into the steps
 *   before the new ones show: all is as it was. After that it is too late, and they go on to the end
 */
export function* publish(
  targetPath: string,
  files: readonly PlannedFile[],
  { openVolume = openTarget, beforeWriting = () => undefined }: PublishOptions = {},
): Steps<Published> {
  try {
    refuseOutside(files);
    using volume = openVolume(targetPath);
    return yield* publishAt({ at: volume.at, targetPath }, files, beforeWriting);
  } catch (error) {
    throw volumeFailure(error, { targetPath, path: targetPath, bytes: sizeOf(files) });
  }
}

/** A volume that is open, and its path for messages. */
interface Place {
  readonly at: string;
  readonly targetPath: string;
}

function* publishAt(
  { at, targetPath }: Place,
  files: readonly PlannedFile[],
  beforeWriting: () => void,
): Steps<Published> {
  try {
    const found = yield* readVolumeAt(at, targetPath);
    const isTakeover = [...found.names.values()].includes('plain');
    if (isTakeover || !holds(found, files)) {
      beforeWriting();
    }
    if (isTakeover) {
      yield* place(at, found, found.files);
    }
    const volume = isTakeover ? yield* readVolumeAt(at, targetPath) : found;
    const isChange = !holds(volume, files);
    const dataDir = isChange ? yield* placeToStay({ at, targetPath }, volume, files) : volume.dataDir;
    yield* toTheEnd(sweep(at, topNames(files)));
    return { changed: isTakeover || isChange, dataDir };
  } catch (error) {
    throw volumeFailure(error, { targetPath, at, bytes: sizeOf(files) });
  }
}

/**
 * As `place`. While the provider is upgraded two processes look after the same volumes, and the other one may clear a set away, for a leftover, just
 * before it is shown: then it is made once more.
 */
function* placeToStay({ at, targetPath }: Place, before: Volume, files: readonly PlannedFile[]): Steps<string> {
  const dataDir = yield* place(at, before, files);
  return findDataDir(at) === undefined ? yield* toTheEnd(placeAgain({ at, targetPath }, files)) : dataDir;
}

function* placeAgain({ at, targetPath }: Place, files: readonly PlannedFile[]): Steps<string> {
  return yield* place(at, yield* readVolumeAt(at, targetPath), files);
}

/**
 * Shows a set whole in place of the one before, or leaves all as it was. Names that went stay, leading nowhere.
 * @returns name of the set's directory
 */
function* place(at: string, before: Volume, files: readonly PlannedFile[]): Steps<string> {
  const names = topNames(files);
  const standing = new Set(readdirSync(at));
  const time = new Date(SYSTEM_CLOCK.wallNow()).toISOString().slice(0, 19).replace(/[-:T]/g, '_');
  let dir: string;
  try {
    dir = mkdtempSync(join(at, `..${time}.`));
    yield* fill(dir, files);
    for (const name of names.difference(standing)) {
      yield;
      symlinkSync(`${DATA_LINK}/${name}`, join(at, name));
    }
    yield;
    relink(`${dir}.link`, join(at, DATA_LINK), basename(dir));
  } catch (error) {
    // What cannot be removed now goes with the next publish.
    yield* toTheEnd(sweepIfPossible(at, standing));
    throw error;
  }
  yield* toTheEnd(linkOver(at, before, names, `${dir}.name`));
  return basename(dir);
}

/** Puts symlinks of the layout in the place of whatever else stands at these names. */
function* linkOver(at: string, before: Volume, names: ReadonlySet<string>, temporary: string): Steps<void> {
  for (const name of names) {
    yield;
    if ((before.names.get(name) ?? 'linked') !== 'linked') {
      const replaced = relink(temporary, join(at, name), `${DATA_LINK}/${name}`);
      if (replaced !== undefined) {
        yield* removeTree(at, basename(replaced));
      }
    }
  }
}

/**
 * Puts a symlink where another one, a file or nothing stands, in one step. A directory is moved away first.
 * @returns where to
 */
function relink(temporary: string, link: string, to: string): string | undefined {
  symlinkSync(to, temporary);
  try {
    renameSync(temporary, link);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EISDIR')) {
      throw error;
    }
  }
  const replaced = `${temporary}.replaced`;
  renameSync(link, replaced);
  renameSync(temporary, link);
  return replaced;
}

/** Removes all that is neither the current set nor one of these names. */
function* sweep(at: string, names: ReadonlySet<string>): Steps<void> {
  const dataDir = findDataDir(at);
  for (const name of readdirSync(at)) {
    if (name !== DATA_LINK && name !== dataDir && !names.has(name)) {
      yield* removeTree(at, name);
    }
  }
}

function* sweepIfPossible(at: string, names: ReadonlySet<string>): Steps<void> {
  try {
    yield* sweep(at, names);
  } catch {
    // The error that led here says more.
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
