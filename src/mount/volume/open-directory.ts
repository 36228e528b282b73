import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs';
import { resolve, sep } from 'node:path';
import { hasCode, ProviderError } from '../../model/errors.ts';

/** An open file or directory: it stays the same, even if its path leads elsewhere by now. */
export interface OpenFile extends Disposable {
  readonly fd: number;
  readonly stat: Stats;
  /** A path to the open file itself. */
  readonly at: string;
}

/**
 * Opens the directory of a volume.
 * @throws ProviderError VolumeUnwritable if the path is no volume; an error of the file system if it does not exist
 */
export type OpenTarget = (targetPath: string) => OpenFile;

/** @throws an error of the file system */
export function openFile(path: string, flags: number): OpenFile {
  const fd = openSync(path, flags);
  try {
    return { fd, stat: fstatSync(fd), at: `/proc/self/fd/${fd}`, [Symbol.dispose]: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens a directory that is not a symlink. @throws an error of the file system: ENOTDIR for anything else */
export function openDirectory(path: string): OpenFile {
  return openFile(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
}

/** Opens a directory anywhere, unless it is a symlink: for the command line. */
export function openTarget(targetPath: string): OpenFile {
  return refusing(targetPath, () => openDirectory(resolve(targetPath)));
}

export interface VolumeRules {
  /** The kubelet's root directory. The path to it may contain symlinks, paths below it may not. */
  readonly kubeletDir: string;
  /** Whether a volume must be a mount point. */
  readonly mustBeMounted: boolean;
}

/** Opens only volumes below the kubelet's directory, one path component at a time, so that no symlink on the way can lead elsewhere. */
export function openTargetBelow({ kubeletDir, mustBeMounted }: VolumeRules): OpenTarget {
  const root = resolve(kubeletDir);
  const prefix = root.endsWith(sep) ? root : root + sep;
  return (targetPath) => {
    const parts = targetPath.startsWith(prefix) ? targetPath.slice(prefix.length).split(sep) : [''];
    if (parts.some((part) => ['', '.', '..'].includes(part))) {
      throw new ProviderError('VolumeUnwritable', `"${targetPath}" is not a path below "${root}" (--kubelet-dir)`);
    }
    let found = openFile(root, constants.O_RDONLY | constants.O_DIRECTORY);
    let parentDev = found.stat.dev;
    for (const [index, part] of parts.entries()) {
      using parent = found;
      parentDev = parent.stat.dev;
      const path = prefix + parts.slice(0, index + 1).join(sep);
      found = refusing(path, () => openDirectory(`${parent.at}/${part}`));
    }
    if (mustBeMounted && found.stat.dev === parentDev) {
      found[Symbol.dispose]();
      throw new ProviderError(
        'VolumeUnwritable',
        `"${targetPath}" is not a mount point, so files written there would be stored on the node's disk: the driver has unmounted it, or the kubelet's pods directory is mounted into the provider's container without mountPropagation HostToContainer`,
      );
    }
    return found;
  };
}

function refusing(path: string, open: () => OpenFile): OpenFile {
  try {
    return open();
  } catch (error) {
    if (hasCode(error, 'ENOTDIR', 'ELOOP')) {
      throw new ProviderError(
        'VolumeUnwritable',
        `"${path}" is not a directory, or is a symlink, so it is not the volume that the driver mounted`,
        { cause: error },
      );
    }
    throw error;
  }
}
