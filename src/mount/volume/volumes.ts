import { type BinaryLike, createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { createCache } from '../../concurrency/cache.ts';
import type { Clock } from '../../concurrency/clock.ts';
import type { Steps, TimeSlices } from '../../concurrency/time-slices.ts';
import { ProviderError } from '../../model/errors.ts';
import { createKeyedLock, type KeyedLock } from '../../concurrency/keyed-lock.ts';
import { type MountSpec, type ObjectSpec, partyOf } from '../../model/mount-spec.ts';
import type { MountPlan, PlannedFile } from '../../model/mount-plan.ts';
import { type OpenTarget, openTarget } from './open-directory.ts';
import { publish, type Published } from './publish.ts';
import { findDataDir, readVolume, type Volume } from './volume.ts';
import type { WriteBudget } from './write-budget.ts';

/**
 * The volumes of a node, and what this process wrote into them. The driver and rotation use each volume every minute or two. Each has one reader or writer
 * at a time.
 */
export interface Volumes {
  /**
   * @returns versions by file, if the volume still has the files that this process wrote for an equal spec
   * @throws ProviderError VolumeUnwritable if the path is no volume, before any call to AWS
   */
  versionsIn(spec: MountSpec): Promise<ReadonlyMap<string, string> | undefined>;
  /** Writes the files of the spec's volume. @returns whether anything has changed */
  publish(spec: MountSpec, plan: Pick<MountPlan, 'files' | 'versions'>, signal: AbortSignal): Promise<boolean>;
  /** @throws ProviderError VolumeUnwritable */
  read(mount: Pick<MountSpec, 'targetPath' | 'pod'>): Promise<Volume>;
  /** Whether the volume has files. The driver empties a volume before it unmounts the tmpfs: files that are written after that would be on the node's disk. */
  isFilled(targetPath: string): Promise<boolean>;
}

interface Held {
  readonly fingerprint: string;
  /** Digest of the files. */
  readonly contents: string;
  /** The name is random: if this directory is current, the files are the ones that we wrote. */
  readonly dataDir: string | undefined;
  readonly versions: ReadonlyMap<string, string>;
}

/** More than the number of pods on a node; the entries that were not used for longest belong to deleted pods. */
const MAX_HELD = 2_000;

export interface VolumesDeps {
  readonly clock: Clock;
  readonly slices: TimeSlices;
  readonly write?: typeof publish;
  readonly lock?: KeyedLock;
  /** Opens a volume, if its path is allowed. */
  readonly openVolume?: OpenTarget;
  /** Absent: no limit. */
  readonly budget?: WriteBudget;
}

/** Create only one per process, because Mount calls, rotation and sync use the same directories. */
export function createVolumes({
  clock,
  slices,
  write = publish,
  lock = createKeyedLock(),
  openVolume = openTarget,
  budget,
}: VolumesDeps): Volumes {
  const held = createCache<Held>(clock, { maxEntries: MAX_HELD });
  const fingerprintOf = createFingerprints();

  /** @returns what this process wrote, if it is still current. @throws ProviderError VolumeUnwritable if the path is no volume */
  function left(targetPath: string): Held | undefined {
    const dataDir = currentSet(openVolume, targetPath);
    const volume = held.get(targetPath);
    return dataDir !== undefined && dataDir === volume?.dataDir ? volume : undefined;
  }

  function writeSteps({ targetPath, pod }: MountSpec, files: readonly PlannedFile[]): Steps<Published> {
    const path = resolve(targetPath);
    return budget === undefined
      ? write(path, files, { openVolume })
      : budget.within({ targetPath: path, namespace: pod.namespace }, files, (beforeWriting) =>
          write(path, files, { openVolume, beforeWriting }),
        );
  }

  function* publishSteps(spec: MountSpec, { files, versions }: Pick<MountPlan, 'files' | 'versions'>): Steps<boolean> {
    const targetPath = resolve(spec.targetPath);
    const contents = yield* contentsOf(files);
    const fingerprint = yield* fingerprintOf(spec);
    const before = left(targetPath);
    held.delete(targetPath);
    // Comparing digests avoids reading all files, which would be most of the work of a republish.
    const { changed, dataDir } =
      before?.contents === contents ? { changed: false, dataDir: before.dataDir } : yield* writeSteps(spec, files);
    held.set(targetPath, { fingerprint, contents, dataDir, versions });
    return changed;
  }

  function* versionsInSteps(spec: MountSpec): Steps<ReadonlyMap<string, string> | undefined> {
    const fingerprint = yield* fingerprintOf(spec);
    const volume = left(resolve(spec.targetPath));
    return volume?.fingerprint === fingerprint ? volume.versions : undefined;
  }

  return {
    versionsIn: (spec) => slices.run(partyOf(spec.pod), versionsInSteps(spec)),
    publish: (spec, plan, signal) =>
      lock.withLock(resolve(spec.targetPath), () => slices.run(partyOf(spec.pod), publishSteps(spec, plan), signal)),
    read: ({ targetPath, pod }) =>
      lock.withLock(resolve(targetPath), () => slices.run(partyOf(pod), readVolume(targetPath, openVolume))),
    isFilled: (targetPath) => lock.withLock(resolve(targetPath), async () => isFilled(openVolume, targetPath)),
  };
}

/** @returns the name of the current set, if there is one. @throws ProviderError VolumeUnwritable if the path is no volume */
function currentSet(openVolume: OpenTarget, targetPath: string): string | undefined {
  try {
    using volume = openVolume(targetPath);
    return findDataDir(volume.at);
  } catch (error) {
    if (error instanceof ProviderError) {
      throw error;
    }
    return undefined;
  }
}

function isFilled(openVolume: OpenTarget, targetPath: string): boolean {
  try {
    using volume = openVolume(targetPath);
    return readdirSync(volume.at).some((name) => !name.startsWith('..')) || findDataDir(volume.at) !== undefined;
  } catch {
    return false;
  }
}

/** The result is the same for specs with the same files from the same sources. It does not include the identity, whose permissions are checked each time. */
function createFingerprints(): (spec: MountSpec) => Steps<string> {
  /** By list: all mounts of a class share the parsed one. */
  const digests = new WeakMap<readonly ObjectSpec[], string>();

  return function* fingerprintOf({ regions, authentication, objects, pod }) {
    const digest = digests.get(objects) ?? (yield* digestOf(objects, (object) => [JSON.stringify(object)]));
    digests.set(objects, digest);
    return JSON.stringify([regions, authentication, pod, digest]);
  };
}

function contentsOf(files: readonly PlannedFile[]): Steps<string> {
  return digestOf(files, ({ path, mode, value }) => [JSON.stringify([path, mode, value.size]), value.expose()]);
}

/** Item by item: objects together may be far longer than the class, because YAML aliases share texts. */
function* digestOf<Item>(items: readonly Item[], partsOf: (item: Item) => readonly BinaryLike[]): Steps<string> {
  const hash = createHash('sha256');
  for (const item of items) {
    partsOf(item).forEach((part) => hash.update(part));
    yield;
  }
  return hash.digest('base64');
}
