import type { NodePod } from '../spec/kube-objects.ts';
import type { PodRef } from '../spec/mount-spec.ts';
import { type ApiList, type ApiObject, controllerOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { type PodSpec, secretsStoreVolumes } from './pod-spec.ts';

interface ApiPod extends ApiObject {
  readonly spec?: PodSpec;
  readonly status?: { readonly phase?: string };
}

/** All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface PodApi {
  /** Pods of a node, which may be some seconds old. */
  listPods(nodeName: string, signal: AbortSignal): Promise<readonly NodePod[]>;
  /** Pods of any node that have this owner, or are it, and are not over. */
  podsOf(namespace: string, ownerUid: string, signal: AbortSignal): Promise<readonly NodePod[]>;
  /** @returns undefined where there is none, or another one of its name */
  getPod(ref: Pick<PodRef, 'namespace' | 'name' | 'uid'>, signal: AbortSignal): Promise<NodePod | undefined>;
}

export function createPodApi(kube: Pick<Kube, 'ask'>): PodApi {
  return {
    async listPods(nodeName, signal) {
      // Version 0 is what the API server has in its memory: a node is listed without asking the database.
      const query = { fieldSelector: `spec.nodeName=${nodeName}`, resourceVersion: '0' };
      const { object } = await kube.ask<ApiList<ApiPod>>({ verb: 'list', resource: 'pods', query }, signal);
      return (object.items ?? []).map(nodePod);
    },

    async podsOf(namespace, ownerUid, signal) {
      const { object } = await kube.ask<ApiList<ApiPod>>({ verb: 'list', resource: 'pods', namespace }, signal);
      return (object.items ?? [])
        .filter(({ metadata }) => [metadata, ...(metadata?.ownerReferences ?? [])].some((of) => of?.uid === ownerUid))
        .map(nodePod)
        .filter(({ isOver }) => !isOver);
    },

    async getPod({ namespace, name, uid }, signal) {
      const { status, object } = await kube.ask<ApiPod>(
        { verb: 'get', resource: 'pods', namespace, name, accepts: [404] },
        signal,
      );
      return status === 404 || object.metadata?.uid !== uid ? undefined : nodePod(object);
    },
  };
}

function nodePod(pod: ApiPod): NodePod {
  const { metadata, spec, status } = pod;
  const { namespace = '', name = '', uid = '', deletionTimestamp, ownerReferences } = metadata ?? {};
  const owner = controllerOf(pod) ?? ownerReferences?.[0] ?? { apiVersion: 'v1', kind: 'Pod', name, uid };
  return {
    ref: { namespace, name, uid, serviceAccount: spec?.serviceAccountName ?? 'default' },
    isOver: deletionTimestamp !== undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed',
    owner: refOf(owner),
    volumes: secretsStoreVolumes(spec),
  };
}
