import { areEqualVersions } from '../spec/equal-versions.ts';
import type { MountStatus } from '../spec/kube-objects.ts';
import type { ApiList, ApiObject } from './api-object.ts';
import type { Kube } from './client.ts';

const NODE_LABEL = 'internal.secrets-store.csi.k8s.io/node-name';

/** Of a label's value: the driver can write no status on a node whose name is longer. */
const MAX_LABEL_LENGTH = 63;

interface ApiStatus extends ApiObject {
  readonly status?: {
    readonly podName?: string;
    readonly secretProviderClassName?: string;
    readonly mounted?: boolean;
    readonly targetPath?: string;
    readonly objects?: readonly { readonly id?: string; readonly version?: string }[];
  };
}

/** Which mount a SecretProviderClassPodStatus is of. */
export type MountStatusKey = Pick<MountStatus, 'namespace' | 'podName' | 'className' | 'targetPath'>;

/** The driver's notes of what is mounted. All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface PodStatusApi {
  listStatuses(nodeName: string, signal: AbortSignal): Promise<readonly MountStatus[]>;
  /**
   * Notes the versions that the volume holds now. Nothing is noted where the driver has no note of this volume, or writes it at the same time.
   * @param versions by file
   */
  noteVersions(of: MountStatusKey, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void>;
}

export function createPodStatusApi(kube: Pick<Kube, 'ask'>): PodStatusApi {
  const resource = 'secretproviderclasspodstatuses';

  async function note(
    of: MountStatusKey,
    versions: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<'noted' | 'changed'> {
    const { namespace } = of;
    // The driver names it so: utils.go, createOrUpdateSecretProviderClassPodStatus.
    const name = `${of.podName}-${namespace}-${of.className}`;
    const target = { resource, namespace, name } as const;
    const found = await kube.ask<ApiStatus>({ verb: 'get', ...target, accepts: [404] }, signal);
    const { metadata, status } = found.object;
    if (
      found.status === 404 ||
      status?.targetPath !== of.targetPath ||
      areEqualVersions(versionsOf(found.object), versions)
    ) {
      return 'noted';
    }
    const objects = [...versions]
      .map(([id, version]) => ({ id, version }))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1));
    const body = { metadata: { resourceVersion: metadata?.resourceVersion }, status: { objects } };
    const patched = await kube.ask({ verb: 'merge', ...target, body, accepts: [404, 409] }, signal);
    return patched.status === 409 ? 'changed' : 'noted';
  }

  return {
    async listStatuses(nodeName, signal) {
      if (nodeName.length > MAX_LABEL_LENGTH) {
        return [];
      }
      const query = { labelSelector: `${NODE_LABEL}=${nodeName}`, resourceVersion: '0' };
      const { object } = await kube.ask<ApiList<ApiStatus>>({ verb: 'list', resource, query }, signal);
      return (object.items ?? []).map(mountStatus);
    },

    async noteVersions(of, versions, signal) {
      if ((await note(of, versions, signal)) === 'changed') {
        await note(of, versions, signal);
      }
    },
  };
}

function mountStatus(object: ApiStatus): MountStatus {
  const { metadata, status } = object;
  return {
    namespace: metadata?.namespace ?? '',
    podName: status?.podName ?? '',
    className: status?.secretProviderClassName ?? '',
    targetPath: status?.targetPath ?? '',
    isMounted: status?.mounted ?? false,
    versions: versionsOf(object),
  };
}

function versionsOf({ status }: ApiStatus): ReadonlyMap<string, string> {
  return new Map(status?.objects?.map(({ id = '', version = '' }) => [id, version]));
}
