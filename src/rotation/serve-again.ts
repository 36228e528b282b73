import { ProviderError } from '../model/errors.ts';
import { serveSpec, type ServeDeps, type ServedMount } from '../mount/serve.ts';
import type { Volumes } from '../mount/volume/volumes.ts';
import type { MountSpec } from '../model/mount-spec.ts';

/** The result of serving a mount again. */
export type ServedAgain = Pick<ServedMount, 'versions' | 'confirmedAt' | 'files' | 'changed'>;

export interface ServeAgain {
  readonly spec: MountSpec;
  /** Versions by file that the pod has. */
  readonly before: ReadonlyMap<string, string>;
  /** When the poll of AWS began, on the monotonic clock. */
  readonly askedAt: number;
}

/**
 * Serves a mount as for a Mount call, for a pod that has files already. If AWS confirmed only some of the values, the files stay as they are, even if the
 * cache holds the other values: a new user name with an old password is worse than an old pair. A volume that the driver has emptied meanwhile stays
 * empty, because nothing would remove files that are written after an unmount.
 * @returns undefined if the volume has been emptied
 * @throws ProviderError
 */
export async function serveAgain(
  { spec, before, askedAt }: ServeAgain,
  deps: ServeDeps,
  signal: AbortSignal,
): Promise<ServedAgain | undefined> {
  const { volumes } = deps;
  let confirmedAt = Number.POSITIVE_INFINITY;

  async function fetchAll(...asked: Parameters<ServeDeps['fetchAll']>): ReturnType<ServeDeps['fetchAll']> {
    const outcomes = await deps.fetchAll(...asked);
    confirmedAt = Math.min(
      ...outcomes.map((outcome) => (outcome instanceof ProviderError ? confirmedAt : outcome.confirmedAt)),
    );
    return outcomes;
  }

  function refilled(inner: Volumes): Volumes {
    return {
      ...inner,
      async publish(...set) {
        if (!(await inner.isFilled(spec.targetPath))) {
          throw new ProviderError('VolumeUnwritable', `"${spec.targetPath}" has been emptied`);
        }
        return confirmedAt < askedAt ? false : await inner.publish(...set);
      },
    };
  }

  try {
    const served = await serveSpec(
      spec,
      { ...deps, fetchAll, ...(volumes !== undefined && { volumes: refilled(volumes) }) },
      signal,
    );
    return confirmedAt < askedAt ? { versions: before, confirmedAt } : served;
  } catch (error) {
    if ((await volumes?.isFilled(spec.targetPath)) === false) {
      return undefined;
    }
    throw error;
  }
}
