import type { MountSpec } from '../model/mount-spec.ts';
import { type MountedFiles, type ServeDeps, type ServedMount, serveSpec } from '../mount/serve.ts';

/**
 * Serves a mount as for a Mount call, for a pod that has files already. If AWS confirmed only some of the values, the files stay as they are, even if the
 * cache holds the other values: a new user name with an old password is worse than an old pair.
 * @returns undefined if the driver has emptied the volume meanwhile. It stays empty, because nothing would remove files that are written after an unmount
 * @throws ProviderError
 */
export async function serveAgain(
  spec: MountSpec,
  mounted: MountedFiles,
  deps: ServeDeps,
  signal: AbortSignal,
): Promise<ServedMount | undefined> {
  try {
    return await serveSpec(spec, deps, signal, mounted);
  } catch (error) {
    if ((await deps.volumes?.isFilled(spec.targetPath)) === false) {
      return undefined;
    }
    throw error;
  }
}
