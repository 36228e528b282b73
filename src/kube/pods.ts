import type { V1Pod } from '@kubernetes/client-node';
import type { NodePod, ObjectRef } from '../model/kube-objects.ts';
import type { PodRef } from '../model/mount-spec.ts';
import { controllerOf, mapOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { findObject } from './get.ts';
import { labelQuery } from './label-selector.ts';
import { isOwner, readMaker } from './owners.ts';
import { listAll } from './pages.ts';
import { secretsStoreVolumes } from './pod-spec.ts';

/** All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface PodApi {
  /** Lists the pods of a node; the list may be some seconds old. */
  listPods(nodeName: string, signal: AbortSignal): Promise<readonly NodePod[]>;
  /** Lists the owner's pods on all nodes that keep running, or the owner itself if it is a pod. @returns none if the owner does not exist */
  podsOf(namespace: string, owner: ObjectRef, signal: AbortSignal): Promise<readonly NodePod[]>;
  /** @returns undefined if it does not exist, or was recreated with another uid */
  getPod(ref: Pick<PodRef, 'namespace' | 'name' | 'uid'>, signal: AbortSignal): Promise<NodePod | undefined>;
}

/** More than any selector needs. A pod with more labels is kept without any, so that no selector matches it. */
const MAX_LABELS = 100;
/** Maximum characters of an owner's uid and name: the API server limits only the name. */
const MAX_REF = 512;

export function createPodApi(kube: Kube): PodApi {
  async function getPod(
    { namespace, name, uid }: Pick<PodRef, 'namespace' | 'name' | 'uid'>,
    signal: AbortSignal,
  ): Promise<NodePod | undefined> {
    const found = await findObject<V1Pod>(kube, { resource: 'pods', namespace, name, uid }, signal);
    return found && nodePod(found);
  }

  return {
    getPod,

    async listPods(nodeName, signal) {
      const query = { fieldSelector: `spec.nodeName=${nodeName}` };
      return await listAll(kube, { resource: 'pods', query, mayBeOld: true, keep: nodePod }, signal);
    },

    async podsOf(namespace, owner, signal) {
      if (owner.kind === 'Pod') {
        const pod = await getPod({ namespace, ...owner }, signal);
        return pod !== undefined && keepsRunning(pod) ? [pod] : [];
      }
      const maker = isOwner(owner) ? await readMaker(kube, namespace, owner, signal) : undefined;
      if (isOwner(owner) && maker === undefined) {
        return [];
      }
      // Selects by labels, because a namespace may have thousands of other pods.
      const labelSelector = labelQuery(maker?.spec?.selector ?? {});
      const query = labelSelector === undefined ? {} : { labelSelector };
      function keep(pod: V1Pod): NodePod | undefined {
        const kept = isOf(pod, owner) ? nodePod(pod) : undefined;
        return kept !== undefined && keepsRunning(kept) ? kept : undefined;
      }
      return await listAll(kube, { resource: 'pods', namespace, query, keep }, signal);
    },
  };
}

function isOf({ metadata }: V1Pod, { uid }: ObjectRef): boolean {
  return metadata?.ownerReferences?.some((owner) => owner.uid === uid) === true;
}

function keepsRunning({ hasEnded, isTerminating }: NodePod): boolean {
  return !hasEnded && !isTerminating;
}

/** Keeps only the fields that are needed, each with a bound: the rest may be as long as its author likes. */
function nodePod(pod: V1Pod): NodePod {
  const { metadata, spec, status } = pod;
  const { namespace = '', name = '', uid = '', deletionTimestamp, ownerReferences, labels = {} } = metadata ?? {};
  const named = controllerOf(pod) ?? ownerReferences?.[0];
  const isUsable = named !== undefined && isOwner(named) && named.name.length + named.uid.length <= MAX_REF;
  return {
    ref: { namespace, name, uid, serviceAccount: spec?.serviceAccountName ?? 'default' },
    hasEnded: status?.phase === 'Succeeded' || status?.phase === 'Failed',
    isTerminating: deletionTimestamp !== undefined,
    labels: Object.keys(labels).length > MAX_LABELS ? new Map() : mapOf(labels),
    owner: isUsable ? refOf(named) : { apiVersion: 'v1', kind: 'Pod', name, uid },
    volumes: secretsStoreVolumes(spec),
  };
}
