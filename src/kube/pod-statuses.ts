import { areEqualVersions } from '../model/equal-versions.ts';
import type { PodRef } from '../model/mount-spec.ts';
import type { ApiObject } from './api-object.ts';
import type { Kube } from './client.ts';
import { findObject } from './get.ts';

interface ApiStatus extends ApiObject {
  readonly status?: {
    readonly mounted?: boolean;
    readonly targetPath?: string;
    readonly objects?: readonly { readonly id?: string; readonly version?: string }[];
  };
}

/** Identifies the SecretProviderClassPodStatus of a mount. */
interface MountStatusKey {
  readonly pod: Pick<PodRef, 'namespace' | 'name'>;
  readonly className: string;
  readonly targetPath: string;
}

/** Reads and writes SecretProviderClassPodStatuses of the driver. Tenants may write them too, so only versions are used. All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface PodStatusApi {
  /** @returns versions by file; undefined if the driver has no status for this volume, or says that it is not mounted */
  notedVersions(of: MountStatusKey, signal: AbortSignal): Promise<ReadonlyMap<string, string> | undefined>;
  /**
   * Records the versions in the volume. Does nothing if the driver has no status for this volume, or writes it at the same time.
   * @param versions by file
   */
  noteVersions(of: MountStatusKey, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void>;
}

export function createPodStatusApi(kube: Kube): PodStatusApi {
  async function note(
    of: MountStatusKey,
    versions: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<'noted' | 'changed'> {
    const target = targetOf(of);
    const found = await findObject<ApiStatus>(kube, target, signal);
    if (found?.status?.targetPath !== of.targetPath || areEqualVersions(versionsOf(found), versions)) {
      return 'noted';
    }
    const objects = [...versions]
      .map(([id, version]) => ({ id, version }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1));
    const body = { metadata: { resourceVersion: found.metadata?.resourceVersion }, status: { objects } };
    const patched = await kube.ask({ verb: 'merge', ...target, body, accepts: [404, 409] }, signal);
    return patched.status === 409 ? 'changed' : 'noted';
  }

  return {
    async notedVersions(of, signal) {
      const found = await findObject<ApiStatus>(kube, targetOf(of), signal);
      const isOfMount = found?.status?.mounted === true && found.status.targetPath === of.targetPath;
      return isOfMount ? versionsOf(found) : undefined;
    },

    async noteVersions(of, versions, signal) {
      if ((await note(of, versions, signal)) === 'changed') {
        await note(of, versions, signal);
      }
    },
  };
}

/** The driver's naming scheme: utils.go, createOrUpdateSecretProviderClassPodStatus. */
function targetOf({ pod: { namespace, name }, className }: MountStatusKey) {
  return {
    resource: 'secretproviderclasspodstatuses',
    namespace,
    name: `${name}-${namespace}-${className}`,
  } as const;
}

function versionsOf({ status }: ApiStatus): ReadonlyMap<string, string> {
  return new Map(status?.objects?.map(({ id = '', version = '' }) => [id, version]));
}
