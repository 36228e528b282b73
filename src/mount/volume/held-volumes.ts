import { createHash } from 'node:crypto';
import type { MountSpec } from '../../spec/mount-spec.ts';
import type { MountPlan, PlannedFile } from '../plan.ts';
import { createKeyedLock } from './volume-lock.ts';
import { findDataDir } from './volume.ts';
import type { Volumes } from './volumes.ts';

/** Volumes that this process filled, and with what: the driver asks for each of them again every minute or two. */
export interface HeldVolumes {
  /** Versions by file of what the spec's volume holds, if it is what was put there for this very spec. */
  versionsIn(spec: MountSpec): Promise<ReadonlyMap<string, string> | undefined>;
  /** Fills the spec's volume. @returns whether that changed anything */
  publish(spec: MountSpec, plan: MountPlan, signal: AbortSignal): Promise<boolean>;
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

export function createHeldVolumes(volumes: Volumes): HeldVolumes {
  const held = new Map<string, Held>();
  const lock = createKeyedLock();

  /** What a volume was filled with, if nobody touched it since. */
  async function left(targetPath: string): Promise<Held | undefined> {
    const volume = held.get(targetPath);
    if (volume?.dataDir === undefined) {
      return undefined;
    }
    const dataDir = await findDataDir(targetPath).catch(() => undefined);
    return dataDir === volume.dataDir ? volume : undefined;
  }

  return {
    async versionsIn(spec) {
      const volume = await left(spec.targetPath);
      return volume?.fingerprint === fingerprintOf(spec) ? volume.versions : undefined;
    },
    publish: (spec, { files, versions }, signal) =>
      lock.withLock(spec.targetPath, async () => {
        signal.throwIfAborted();
        const contents = contentsOf(files);
        const before = await left(spec.targetPath);
        held.delete(spec.targetPath);
        // To read every file only to find in it what it should hold would be most of a republish's work.
        const { changed, dataDir } =
          before?.contents === contents
            ? { changed: false, dataDir: before.dataDir }
            : await volumes.publish(spec.targetPath, files, signal);
        held.set(spec.targetPath, { fingerprint: fingerprintOf(spec), contents, dataDir, versions });
        const [oldest] = held.keys();
        if (held.size > MAX_HELD && oldest !== undefined) {
          held.delete(oldest);
        }
        return changed;
      }),
  };
}

/** Equal for specs that come to the same files from the same places. Whose permissions count is not in it: those are asked for each time. */
function fingerprintOf({ regions, authentication, objects, pod }: MountSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([regions, authentication, objects, pod]))
    .digest('base64');
}

function contentsOf(files: readonly PlannedFile[]): string {
  const hash = createHash('sha256');
  for (const { path, mode, value } of files) {
    hash.update(JSON.stringify([path, mode, value.size])).update(value.expose());
  }
  return hash.digest('base64');
}
