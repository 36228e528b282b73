import { quote } from '../../text/quote.ts';
import { relative } from 'node:path';
import { ProviderError } from '../../model/errors.ts';

/** Maximum length of a path in a message: any file name fits. */
const MAX_PATH = 1024;

export interface VolumeFailureContext {
  readonly targetPath: string;
  /** The path that was used, if it differs. */
  readonly at?: string;
  /** Path inside the volume, for errors that name none, such as ENOSPC of a write. */
  readonly path?: string;
  /** Size of the set to be written. */
  readonly bytes?: number;
}

/** Fields that Node adds to an error of the file system; `dest` is the new name of a rename or symlink. */
interface FileSystemError extends NodeJS.ErrnoException {
  readonly dest?: string;
}

/** Converts an error of the file system into a ProviderError with a remedy. Returns other errors unchanged. */
export function volumeFailure(thrown: unknown, context: VolumeFailureContext): Error {
  if (!isFileSystemError(thrown)) {
    return thrown instanceof Error ? thrown : ProviderError.from(thrown);
  }
  const { code = 'unknown error', dest, path = context.targetPath } = thrown;
  const where = context.path ?? (relative(context.at ?? context.targetPath, dest ?? path) || context.targetPath);
  return new ProviderError(
    'VolumeUnwritable',
    `volume unusable: ${code} at ${quote(where, MAX_PATH)}${remedy(code, context)}`,
    {
      cause: thrown,
    },
  );
}

function remedy(code: string, { bytes = 0 }: VolumeFailureContext): string {
  switch (code) {
    case 'EROFS':
      return `: it is read-only for the provider: mount the kubelet's pods directory writable into its container`;
    case 'ENOSPC':
      return `: not enough space in the volume's tmpfs for ${bytes} bytes: during an update old and new files exist side by side`;
    case 'EACCES':
    case 'EPERM':
      return ': the provider must run as root, and privileged where SELinux is enforced';
    case 'ENOENT':
      return `: the volume is not there: the driver has not mounted it, or the kubelet's pods directory is not mounted into the provider's container at the same path (hostPath, mountPropagation HostToContainer)`;
    default:
      return '';
  }
}

function isFileSystemError(thrown: unknown): thrown is FileSystemError {
  return thrown instanceof Error && 'syscall' in thrown;
}
