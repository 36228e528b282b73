import { mkdtempSync, readdirSync, renameSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { hasCode, ProviderError } from '../../model/errors.ts';
import { type Steps, toTheEnd } from '../../concurrency/time-slices.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { fill, sizeOf } from './fill.ts';
import { type OpenTarget, openTarget } from './open-directory.ts';
import { removeTree } from './remove-tree.ts';
import { DATA_LINK, findDataDir, inVolume, readVolumeAt, topNames, type Volume } from './volume.ts';

/*
 * The layout is that of the driver (its `atomic_writer.go`), so that either can write after the other: files are in `..<time>.<random>/`, `..data` is a
 * symlink to that directory, and visible names are symlinks through `..data`. A kill may leave any state between these steps:
 *
 *  1. A half-filled directory: nothing points to it.
 *  2. Symlinks for new files that do not resolve yet: they cannot be opened, as before. They are made before the swap, so that the swap shows the whole set
 *     at once, and because the driver's writer never adds a missing name once the content is equal.
 *  3. `..data` is renamed: from this moment on every name resolves to the new set.
 *  4. Symlinks of removed files, which do not resolve, and the old directory. Everything that is not part of the set is removed last.
 *
 * Plain files of AWS's provider are first moved into the layout without a change: their content goes through steps 1 and 3, then a symlink to the same bytes
 * is renamed over each. After that the update is like any other. A plain directory with the name of a file (no provider makes one) must be moved away first:
 * for that moment the name is missing.
 *
 * Nothing is fsynced, because a volume is a tmpfs and does not survive a crash of the node.
 */

export interface Published {
  /** Whether files were written. */
  readonly changed: boolean;
  /** Name of the directory that is current after the call. */
  readonly dataDir: string | undefined;
}

export interface PublishOptions {
  readonly openVolume?: OpenTarget;
  /** Called before anything is written; if it throws, nothing has changed. */
  readonly beforeWriting?: () => void;
}

/**
 * Makes a volume contain exactly these files, all at once. Writes nothing if it does already.
 * Only one call per volume at a time is allowed: use `Volumes.publish`.
 * @param targetPath the volume, a directory
 * @param files unique paths, none below another
 * @throws ProviderError VolumeUnwritable: the old files are still there, or the new ones if only the clean-up failed. An error that is thrown into the steps
 *   before the swap leaves everything as it was. After the swap it is ignored, and the steps complete
 */
export function* publish(
  targetPath: string,
  files: readonly PlannedFile[],
  { openVolume = openTarget, beforeWriting = () => undefined }: PublishOptions = {},
): Steps<Published> {
  refuseOutside(files);
  return yield* inVolume(openVolume, targetPath, (at) => publishAt(at, files, beforeWriting), sizeOf(files));
}

function* publishAt(at: string, files: readonly PlannedFile[], beforeWriting: () => void): Steps<Published> {
  const found = yield* readVolumeAt(at);
  const isTakeover = [...found.names.values()].includes('plain');
  if (isTakeover || !holds(found, files)) {
    beforeWriting();
  }
  if (isTakeover) {
    yield* place(at, found, found.files);
  }
  const volume = isTakeover ? yield* readVolumeAt(at) : found;
  const isChange = !holds(volume, files);
  const dataDir = isChange ? yield* placeToStay(at, volume, files) : volume.dataDir;
  yield* toTheEnd(sweep(at, topNames(files)));
  return { changed: isTakeover || isChange, dataDir };
}

/**
 * Like `place`, with one retry: during an upgrade of the provider two processes write the same volumes, and the other one may take the new set for a leftover
 * and remove it right before the swap.
 */
function* placeToStay(at: string, before: Volume, files: readonly PlannedFile[]): Steps<string> {
  const dataDir = yield* place(at, before, files);
  return findDataDir(at) === undefined ? yield* toTheEnd(placeAgain(at, files)) : dataDir;
}

function* placeAgain(at: string, files: readonly PlannedFile[]): Steps<string> {
  return yield* place(at, yield* readVolumeAt(at), files);
}

/**
 * Replaces the current set by a new one, or leaves everything as it was. The names of removed files stay, but do not resolve.
 * @returns the name of the new set's directory
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
    // The next publish removes what cannot be removed now.
    yield* toTheEnd(sweepIfPossible(at, standing));
    throw error;
  }
  yield* toTheEnd(linkOver(at, before, names, `${dir}.name`));
  return basename(dir);
}

/** Replaces whatever has these names by symlinks of the layout. */
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
 * Replaces a symlink, a file or nothing by a symlink in one step. A directory is moved away first.
 * @returns the path that the directory was moved to
 */
function relink(temporary: string, link: string, to: string): string | undefined {
  symlinkSync(to, temporary);
  try {
    renameSync(temporary, link);
    return undefined;
  } catch (error) {
    if (!hasCode(error, 'EISDIR')) {
      throw error;
    }
  }
  const replaced = `${temporary}.replaced`;
  renameSync(link, replaced);
  renameSync(temporary, link);
  return replaced;
}

/** Removes everything except the current set and these names. */
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
    // The error that led here is more important.
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

/** A second line of defence: paths are checked when a class is parsed. */
function refuseOutside(files: readonly PlannedFile[]): void {
  for (const { path } of files) {
    const isInside =
      !path.startsWith('..') &&
      !path.includes('\0') &&
      path.split('/').every((part) => !['', '.', '..'].includes(part));
    if (!isInside) {
      throw new ProviderError('Internal', `"${path}" is not a path inside a volume`);
    }
  }
}
