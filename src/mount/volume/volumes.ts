import { resolve } from 'node:path';
import { publish } from './publish.ts';
import { createKeyedLock, type KeyedLock } from './volume-lock.ts';
import { readVolume } from './volume.ts';

/** The volumes of a node: one reader or writer at a time each. */
export interface Volumes {
  readonly publish: typeof publish;
  readonly read: typeof readVolume;
}

/** One for the whole process: Mount calls, rotation and sync meet in the same directories. */
export function createVolumes(lock: KeyedLock = createKeyedLock()): Volumes {
  return {
    publish: (targetPath, files, signal) =>
      lock.withLock(resolve(targetPath), () => publish(targetPath, files, signal)),
    read: (targetPath) => lock.withLock(resolve(targetPath), () => readVolume(targetPath)),
  };
}
