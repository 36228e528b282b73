import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ProviderError } from '../../errors.ts';
import { createKeyedLock, type KeyedLock } from '../../keyed-lock.ts';
import type { MountSpec } from '../../spec/mount-spec.ts';
import type { MountPlan, PlannedFile } from '../plan.ts';
import { type OpenTarget, openTarget } from './open-directory.ts';
import { publish, type Published } from './publish.ts';
import { findDataDir, readVolume, type Volume } from './volume.ts';
import type { Room, VolumeOwner, WriteBudget } from './write-budget.ts';

/**
 * The volumes of a node, and with what this process filled them: the driver asks for each of them again every minute or two, and rotation
 * does. One reader or writer at a time each.
 */
export interface Volumes {
  /**
   * Versions by file of what the spec's volume holds, if it is what was put there for this very spec.
   * @throws ProviderError VolumeUnwritable where that is no volume: before anything is asked of AWS
   */
  versionsIn(spec: MountSpec): Promise<ReadonlyMap<string, string> | undefined>;
  /** Fills the spec's volume. @returns whether that changed anything */
  publish(spec: MountSpec, plan: Pick<MountPlan, 'files' | 'versions'>, signal: AbortSignal): Promise<boolean>;
  /** @throws ProviderError VolumeUnwritable */
  read(targetPath: string): Promise<Volume>;
  /** Whether somebody filled it. The driver empties a volume before it takes the tmpfs away: what is written after that lies on the node's disk. */
  isFilled(targetPath: string): Promise<boolean>;
}

interface Held {
  readonly fingerprint: string;
  /** Digest of the files. */
  readonly contents: string;
  /** Its name is drawn by lot: where it is current, so is what we wrote. */
  readonly dataDir: string | undefined;
  readonly versions: ReadonlyMap<string, string>;
}

/** More than a node has pods; the oldest are those of pods that went. */
const MAX_HELD = 2_000;

export interface VolumesOptions {
  readonly write?: typeof publish;
  readonly lock?: KeyedLock;
  /** Opens a volume where there may be one. */
  readonly openVolume?: OpenTarget;
  /** Absent: whatever fits into the node's memory is written. */
  readonly budget?: WriteBudget;
}

/** One for the whole process: Mount calls, rotation and sync meet in the same directories. */
export function createVolumes({
  write = publish,
  lock = createKeyedLock(),
  openVolume = openTarget,
  budget,
}: VolumesOptions = {}): Volumes {
  const held = new Map<string, Held>();

  /** Writes within the budget. */
  async function writeWithin(
    owner: VolumeOwner,
    files: readonly PlannedFile[],
    signal: AbortSignal,
  ): Promise<Published> {
    let room: Room | undefined;
    try {
      const published = await write(owner.targetPath, files, signal, {
        openVolume,
        async beforeWriting() {
          room = await budget?.makeRoom(owner, files);
        },
      });
      if (room === undefined) {
        budget?.note(owner, files);
      }
      room?.keep();
      return published;
    } catch (error) {
      room?.release();
      throw error;
    }
  }

  /** Name of the current set, if there is one. @throws ProviderError VolumeUnwritable where that is no volume */
  async function currentSet(targetPath: string): Promise<string | undefined> {
    try {
      using volume = openVolume(targetPath);
      return await findDataDir(volume.at);
    } catch (error) {
      if (error instanceof ProviderError) {
        throw error;
      }
      return undefined;
    }
  }

  /** What a volume was filled with, if nobody touched it since. @throws ProviderError VolumeUnwritable where that is no volume */
  async function left(targetPath: string): Promise<Held | undefined> {
    const dataDir = await currentSet(targetPath);
    const volume = held.get(targetPath);
    return dataDir !== undefined && dataDir === volume?.dataDir ? volume : undefined;
  }

  return {
    async versionsIn(spec) {
      const volume = await left(resolve(spec.targetPath));
      return volume !== undefined && volume.fingerprint === fingerprintOf(spec) ? volume.versions : undefined;
    },
    publish(spec, { files, versions }, signal) {
      const targetPath = resolve(spec.targetPath);
      return lock.withLock(targetPath, async () => {
        signal.throwIfAborted();
        const contents = contentsOf(files);
        const before = await left(targetPath);
        held.delete(targetPath);
        // To read every file only to find in it what it should hold would be most of a republish's work.
        const { changed, dataDir } =
          before?.contents === contents
            ? { changed: false, dataDir: before.dataDir }
            : await writeWithin({ targetPath, namespace: spec.pod.namespace }, files, signal);
        held.set(targetPath, { fingerprint: fingerprintOf(spec), contents, dataDir, versions });
        const [oldest] = held.keys();
        if (held.size > MAX_HELD && oldest !== undefined) {
          held.delete(oldest);
        }
        return changed;
      });
    },
    read: (targetPath) => lock.withLock(resolve(targetPath), () => readVolume(targetPath, openVolume)),
    async isFilled(targetPath) {
      try {
        return await lock.withLock(resolve(targetPath), async () => {
          using volume = openVolume(targetPath);
          const names = await readdir(volume.at);
          return names.some((name) => !name.startsWith('..')) || (await findDataDir(volume.at)) !== undefined;
        });
      } catch {
        return false;
      }
    },
  };
}

/** Equal for specs that come to the same files from the same places. Whose permissions count is not in it: those are asked for each time. */
function fingerprintOf({ regions, authentication, objects, pod }: MountSpec): string {
  const hash = createHash('sha256').update(JSON.stringify([regions, authentication, pod]));
  // One by one: all together they may be far longer than the class, whose texts they share.
  for (const object of objects) {
    hash.update(JSON.stringify(object));
  }
  return hash.digest('base64');
}

function contentsOf(files: readonly PlannedFile[]): string {
  const hash = createHash('sha256');
  for (const { path, mode, value } of files) {
    hash.update(JSON.stringify([path, mode, value.size])).update(value.expose());
  }
  return hash.digest('base64');
}
