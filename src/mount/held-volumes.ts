import { createHash } from 'node:crypto';
import type { MountSpec } from '../spec/mount-spec.ts';
import type { MountPlan } from './plan.ts';
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
  /** Its name is drawn by lot: where it is current, so is what we wrote. */
  readonly dataDir: string | undefined;
  readonly versions: ReadonlyMap<string, string>;
}

/** More than a node has pods; the oldest are those of pods that went. */
const MAX_HELD = 2_000;

export function createHeldVolumes(volumes: Volumes): HeldVolumes {
  const held = new Map<string, Held>();
  return {
    async versionsIn(spec) {
      const volume = held.get(spec.targetPath);
      if (volume === undefined || volume.dataDir === undefined || volume.fingerprint !== fingerprintOf(spec)) {
        return undefined;
      }
      const dataDir = await findDataDir(spec.targetPath).catch(() => undefined);
      return dataDir === volume.dataDir ? volume.versions : undefined;
    },
    async publish(spec, { files, versions }, signal) {
      held.delete(spec.targetPath);
      const { changed, dataDir } = await volumes.publish(spec.targetPath, files, signal);
      held.set(spec.targetPath, { fingerprint: fingerprintOf(spec), dataDir, versions });
      const [oldest] = held.keys();
      if (held.size > MAX_HELD && oldest !== undefined) {
        held.delete(oldest);
      }
      return changed;
    },
  };
}

/** Equal for specs that come to the same files from the same places. Whose permissions count is not in it: those are asked for each time. */
function fingerprintOf({ regions, authentication, objects, pod }: MountSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([regions, authentication, objects, pod]))
    .digest('base64');
}
