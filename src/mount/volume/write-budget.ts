import { lstatSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProviderError } from '../../model/errors.ts';
import { directoriesOf } from '../../class/file-path.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { DATA_LINK } from './volume.ts';

/*
 * A volume is a tmpfs. The kernel charges a page of it to the cgroup of the process that wrote it first, for as long as the page is there: readers do
 * not take it over, and the end of the process does not end it (test/attacks/tmpfs-kernel.root.test.ts). When the container's cgroup goes, its pages
 * count in the pod's, which holds the next container of the same pod. So what is in the volumes counts here whoever wrote it.
 */

export interface WriteLimits {
  /** Bytes of memory that the files of one volume may take. */
  readonly maxVolumeBytes: number;
  /** Bytes of memory that all volumes together may take, with those that are being replaced. */
  readonly maxNodeBytes: number;
}

/** Whose volume it is. */
export interface VolumeOwner {
  readonly targetPath: string;
  readonly namespace: string;
}

/** Room for a set of files beside the one that it replaces. */
export interface Room {
  /** The set is in the volume, and the one before is gone. */
  keep(): void;
  /** It may not be: what stands there is either. */
  release(): void;
}

/** What the volumes of this node take of the memory that the kernel charges to the provider. */
export interface WriteBudget {
  /** @throws ProviderError PayloadTooLarge, which names the setting */
  makeRoom(owner: VolumeOwner, files: readonly PlannedFile[]): Room;
  /** Notes what is in a volume that needs no writing. */
  note(owner: VolumeOwner, files: readonly PlannedFile[]): void;
}

const PAGE = 4_096;
/** Measured on 6.18: what the kernel keeps of a file, directory or symlink beside its pages. */
const ENTRY = 1_024;
/** A symlink's target above this length takes a page. */
const LONG_LINK = 100;
/** Of `f_type`, statfs(2). */
const TMPFS = 0x0102_1994;
/** The part of the node's bytes that the volumes of one namespace may take. */
export const NAMESPACE_PART = 4;

interface Held {
  readonly namespace: string;
  readonly bytes: number;
}

/** Bytes of memory that a volume with these files takes: whole pages, and the kernel's own record of each entry. */
export function memoryOf(files: readonly Pick<PlannedFile, 'path' | 'value'>[]): number {
  const entries = new Set(files.flatMap(({ path }) => directoriesOf(path)));
  const names = new Set(files.map(({ path }) => path.replace(/\/.*/s, '')));
  let bytes = (entries.size + names.size) * ENTRY;
  for (const name of names) {
    bytes += Buffer.byteLength(name) > LONG_LINK ? PAGE : 0;
  }
  return files.reduce((sum, { value }) => sum + Math.ceil(value.size / PAGE) * PAGE + ENTRY, bytes);
}

/** One for the whole process. */
export function createWriteBudget({ maxVolumeBytes, maxNodeBytes }: WriteLimits): WriteBudget {
  const held = new Map<string, Held>();
  /** Sets that are being written; a volume is written by one at a time. */
  const coming = new Map<string, Held>();

  function sum(of: ReadonlyMap<string, Held>, isCounted: (one: Held) => boolean = () => true): number {
    return [...of.values()].filter(isCounted).reduce((bytes, one) => bytes + one.bytes, 0);
  }

  /** What a namespace has in its volumes once all that is under way is done. */
  function shareOf(namespace: string): number {
    const staying = new Map([...held, ...coming]);
    return sum(staying, (one) => one.namespace === namespace);
  }

  function refusal(targetPath: string, { namespace, bytes }: Held): ProviderError | undefined {
    if (bytes > maxVolumeBytes) {
      return tooLarge(
        `the files of this volume take ${bytes} bytes of memory (each a whole number of pages of ${PAGE}), more than the ${maxVolumeBytes} of --max-volume-bytes: split the class over two volumes`,
      );
    }
    const before = held.get(targetPath)?.bytes ?? 0;
    const share = shareOf(namespace) - before;
    if (share + bytes > maxNodeBytes / NAMESPACE_PART) {
      return tooLarge(
        `the volumes of namespace "${namespace}" on this node would take ${share + bytes} bytes of memory, more than a quarter of the ${maxNodeBytes} of --max-node-bytes: mount fewer or smaller objects, spread the pods over more nodes, or have the operator raise it together with the provider's memory limit`,
      );
    }
    // New volumes leave so much room that one that is there can always be replaced.
    const most = before > 0 ? maxNodeBytes : maxNodeBytes - maxVolumeBytes;
    const all = sum(held) + sum(coming);
    if (all + bytes > most) {
      return tooLarge(
        `the volumes of this node take ${all} bytes of memory, and ${bytes} more would be over the ${most} that --max-node-bytes leaves for them: spread the pods over more nodes, or have the operator raise it together with the provider's memory limit`,
      );
    }
    return undefined;
  }

  /** Nobody tells when a pod's volume goes, so that is seen when room is short. */
  function forgetGone(): void {
    for (const targetPath of held.keys()) {
      if (!isThere(join(targetPath, DATA_LINK)) && !coming.has(targetPath)) {
        held.delete(targetPath);
      }
    }
  }

  return {
    makeRoom({ targetPath, namespace }, files) {
      if (!held.has(targetPath)) {
        const bytes = bytesIn(targetPath);
        if (bytes > 0) {
          held.set(targetPath, { namespace, bytes });
        }
      }
      const wanted = { namespace, bytes: memoryOf(files) };
      if (refusal(targetPath, wanted) !== undefined) {
        forgetGone();
      }
      const refused = refusal(targetPath, wanted);
      if (refused !== undefined) {
        throw refused;
      }
      coming.set(targetPath, wanted);
      return {
        keep() {
          coming.delete(targetPath);
          held.set(targetPath, wanted);
        },
        release() {
          coming.delete(targetPath);
          const before = held.get(targetPath);
          if ((before?.bytes ?? 0) < wanted.bytes) {
            held.set(targetPath, wanted);
          }
        },
      };
    },
    note({ targetPath, namespace }, files) {
      held.set(targetPath, { namespace, bytes: memoryOf(files) });
    },
  };
}

function isThere(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** What a volume takes that this process has not written: the provider has been restarted. */
function bytesIn(targetPath: string): number {
  try {
    const [own, parent] = [lstatSync(targetPath), lstatSync(dirname(targetPath))];
    const { type, blocks, bfree, bsize } = statfsSync(targetPath);
    return own.dev !== parent.dev && type === TMPFS ? (blocks - bfree) * bsize : 0;
  } catch {
    // Publishing says what is wrong with it.
    return 0;
  }
}

function tooLarge(message: string): ProviderError {
  return new ProviderError('PayloadTooLarge', message);
}
