import { lstatSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProviderError } from '../../model/errors.ts';
import { directoriesOf } from '../../class/file-path.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { DATA_LINK } from './volume.ts';

/*
 * A volume is a tmpfs. The kernel charges each page to the cgroup of the process that wrote it first, as long as the page exists, even if others read it or the
 * process ends (test/attacks/tmpfs-kernel.root.test.ts). When the container's cgroup is removed, its pages count in the cgroup of the pod, which also contains
 * the next container. So the budget includes what earlier processes wrote.
 */

export interface WriteLimits {
  /** Bytes of memory that the files of one volume may take. */
  readonly maxVolumeBytes: number;
  /** Bytes of memory that all volumes together may take, including files that are being replaced. */
  readonly maxNodeBytes: number;
}

/** The pod that a volume belongs to. */
export interface VolumeOwner {
  readonly targetPath: string;
  readonly namespace: string;
}

/** A reservation for a set of files, in addition to the set that it replaces. */
export interface Room {
  /** The new set is in the volume, and the old one is removed. */
  keep(): void;
  /** The write failed: the volume may contain either set. */
  release(): void;
}

/** Bounds the memory of volumes, which the kernel charges to the provider. */
export interface WriteBudget {
  /** @throws ProviderError PayloadTooLarge, which names the setting */
  makeRoom(owner: VolumeOwner, files: readonly PlannedFile[]): Room;
  /** Records the content of a volume that needs no write. */
  note(owner: VolumeOwner, files: readonly PlannedFile[]): void;
}

const PAGE = 4_096;
/** Kernel memory of a file, directory or symlink besides its pages, measured with Linux 6.18. */
const ENTRY = 1_024;
/** A longer target of a symlink takes a page. */
const LONG_LINK = 100;
/** Value of `f_type`, see statfs(2). */
const TMPFS = 0x0102_1994;
/** One namespace may take the node's bytes divided by this. */
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

/** Create only one per process. */
export function createWriteBudget({ maxVolumeBytes, maxNodeBytes }: WriteLimits): WriteBudget {
  const held = new Map<string, Held>();
  /** Sets that are being written; each volume has one writer at a time. */
  const coming = new Map<string, Held>();

  function sum(of: ReadonlyMap<string, Held>, isCounted: (one: Held) => boolean = () => true): number {
    return [...of.values()].filter(isCounted).reduce((bytes, one) => bytes + one.bytes, 0);
  }

  /** Bytes of a namespace after all writes in progress. */
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
    // New volumes leave enough space to update the largest existing one.
    const most = before > 0 ? maxNodeBytes : maxNodeBytes - maxVolumeBytes;
    const all = sum(held) + sum(coming);
    if (all + bytes > most) {
      return tooLarge(
        `the volumes of this node take ${all} bytes of memory, and ${bytes} more would be over the ${most} that --max-node-bytes leaves for them: spread the pods over more nodes, or have the operator raise it together with the provider's memory limit`,
      );
    }
    return undefined;
  }

  /** Unmounts are not reported to the provider, so they are detected when space runs out. */
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

/** Size of a volume that an earlier process wrote. */
function bytesIn(targetPath: string): number {
  try {
    const [own, parent] = [lstatSync(targetPath), lstatSync(dirname(targetPath))];
    const { type, blocks, bfree, bsize } = statfsSync(targetPath);
    return own.dev !== parent.dev && type === TMPFS ? (blocks - bfree) * bsize : 0;
  } catch {
    // Publishing reports what is wrong with the volume.
    return 0;
  }
}

function tooLarge(message: string): ProviderError {
  return new ProviderError('PayloadTooLarge', message);
}
