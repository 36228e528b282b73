import { ProviderError } from '../model/errors.ts';
import type { MountPlan, VersionedFile } from '../model/mount-plan.ts';

/** The driver accepts 4 MiB per response by default (`--max-call-recv-msg-size`); the rest is for paths and framing. */
const MAX_BYTES = 4 * 1024 * 1024 - 64 * 1024;

/** Version entry of a volume without files: the driver rejects an empty list ("missing object versions"). */
const NO_OBJECTS = ['no-objects', 'none'] as const;

/**
 * @param size known size of all files together, in bytes
 * @throws ProviderError PayloadTooLarge if the driver would not accept the response
 */
export function checkSize(size: number): void {
  if (size > MAX_BYTES) {
    throw new ProviderError(
      'PayloadTooLarge',
      `the objects of this volume hold ${size} bytes together, more than the ${MAX_BYTES} a volume may: split them over two SecretProviderClasses`,
    );
  }
}

/**
 * @param confirmedAt the earliest of all files
 * @throws ProviderError PayloadTooLarge if the driver would not accept the response
 */
export function planMount(files: readonly VersionedFile[], confirmedAt: number): MountPlan {
  checkSize(files.reduce((sum, file) => sum + file.value.size, 0));
  return {
    files: files.map(({ path, mode, value }) => ({ path, mode, value })),
    versions: new Map(files.length > 0 ? files.map(({ path, version }) => [path, version]) : [NO_OBJECTS]),
    confirmedAt,
  };
}
