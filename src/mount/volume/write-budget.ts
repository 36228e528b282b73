import { lstatSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Steps } from '../../concurrency/time-slices.ts';
import { ProviderError } from '../../model/errors.ts';
import { directoriesOf } from '../../class/file-path.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { DATA_LINK, topNames } from './volume.ts';

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
interface VolumeOwner {
  readonly targetPath: string;
  readonly namespace: string;
}

/** Bounds the memory of volumes, which the kernel charges to the provider. */
export interface WriteBudget {
  /**
   * Runs a publish, and records what the volume takes after it.
   * @param write calls `beforeWriting` unless the volume needs no write. It reserves the new set in addition to the set that it replaces, and throws a
   *   ProviderError PayloadTooLarge, which names the setting, if there is no room
   */
  within<Result>(
    owner: VolumeOwner,
    files: readonly PlannedFile[],
    write: (beforeWriting: () => void) => Steps<Result>,
  ): Steps<Result>;
}

const PAGE = 4_096;
/** Kernel memory of a file, directory or symlink besides its pages, measured with Linux 6.18. */
const ENTRY = 1_024;
/** A longer target of a symlink takes a page. */
const LONG_LINK = 100;
/** Value of `f_type`, see statfs(2). */
const TMPFS = 0x0102_1994;
/** One namespace may take the node's bytes divided by this. */
const NAMESPACE_PART = 4;

interface Held {
  readonly namespace: string;
  readonly bytes: number;
}

/** Bytes of memory that a volume with these files takes: whole pages, and the kernel's own record of each entry. */
export function memoryOf(files: readonly Pick<PlannedFile, 'path' | 'value'>[]): number {
  const entries = new Set(files.flatMap(({ path }) => directoriesOf(path)));
  const names = topNames(files);
  let bytes = (entries.size + names.size) * ENTRY;
  for (const name of names) {
    bytes += Buffer.byteLength(name) > LONG_LINK ? PAGE : 0;
  }
  return files.reduce((total, { value }) => total + Math.ceil(value.size / PAGE) * PAGE + ENTRY, bytes);
}

/** Create only one per process. */
export function createWriteBudget(limits: WriteLimits): WriteBudget {
  const held = new Map<string, Held>();
  /** Sets that are being written; each volume has one writer at a time. */
  const coming = new Map<string, Held>();

  function excessOf(targetPath: string, wanted: Held): string | undefined {
    const before = held.get(targetPath)?.bytes ?? 0;
    const afterWrites = [...new Map([...held, ...coming]).values()];
    const share = sum(afterWrites.filter(({ namespace }) => namespace === wanted.namespace)) - before;
    const all = sum([...held.values(), ...coming.values()]);
    return excess({ ...wanted, before, share, all }, limits);
  }

  /** Unmounts are not reported to the provider, so they are detected when space runs out. */
  function forgetGone(): void {
    for (const targetPath of held.keys()) {
      if (!isThere(join(targetPath, DATA_LINK)) && !coming.has(targetPath)) {
        held.delete(targetPath);
      }
    }
  }

  function reserve(targetPath: string, wanted: Held): void {
    const bytes = held.has(targetPath) ? 0 : bytesIn(targetPath);
    if (bytes > 0) {
      held.set(targetPath, { namespace: wanted.namespace, bytes });
    }
    if (excessOf(targetPath, wanted) !== undefined) {
      forgetGone();
    }
    const refusal = excessOf(targetPath, wanted);
    if (refusal !== undefined) {
      throw new ProviderError('PayloadTooLarge', refusal);
    }
    coming.set(targetPath, wanted);
  }

  return {
    *within({ targetPath, namespace }, files, write) {
      const wanted = { namespace, bytes: memoryOf(files) };
      try {
        const result = yield* write(() => reserve(targetPath, wanted));
        held.set(targetPath, wanted);
        return result;
      } catch (error) {
        // The volume may contain either set.
        if (coming.has(targetPath) && (held.get(targetPath)?.bytes ?? 0) < wanted.bytes) {
          held.set(targetPath, wanted);
        }
        throw error;
      } finally {
        coming.delete(targetPath);
      }
    },
  };
}

function sum(sets: readonly Held[]): number {
  return sets.reduce((total, { bytes }) => total + bytes, 0);
}

interface Wanted extends Held {
  /** Bytes of the set that is replaced. */
  readonly before: number;
  /** Bytes of the other volumes of the namespace, after all writes in progress. */
  readonly share: number;
  /** Bytes of all sets, old and new ones. */
  readonly all: number;
}

/** @returns what is exceeded, and the remedy */
function excess(
  { namespace, bytes, before, share, all }: Wanted,
  { maxVolumeBytes, maxNodeBytes }: WriteLimits,
): string | undefined {
  if (bytes > maxVolumeBytes) {
    return `the files of this volume take ${bytes} bytes of memory (each a whole number of pages of ${PAGE}), more than the ${maxVolumeBytes} of --max-volume-bytes: split the class over two volumes`;
  }
  if (share + bytes > maxNodeBytes / NAMESPACE_PART) {
    return `the volumes of namespace "${namespace}" on this node would take ${share + bytes} bytes of memory, more than a quarter of the ${maxNodeBytes} of --max-node-bytes: mount fewer or smaller objects, spread the pods over more nodes, or have the operator raise it together with the provider's memory limit`;
  }
  // New volumes leave enough space to update the largest existing one.
  const most = before > 0 ? maxNodeBytes : maxNodeBytes - maxVolumeBytes;
  return all + bytes > most
    ? `the volumes of this node take ${all} bytes of memory, and ${bytes} more would be over the ${most} that --max-node-bytes leaves for them: spread the pods over more nodes, or have the operator raise it together with the provider's memory limit`
    : undefined;
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
