import type { V1DaemonSet, V1Deployment, V1LabelSelector, V1ReplicaSet, V1StatefulSet } from '@kubernetes/client-node';
import { CLASS_ATTRIBUTE, type NodePod, type ObjectRef } from '../model/kube-objects.ts';
import { controllerOf, refOf } from './api-object.ts';
import { createSharedLookup } from '../concurrency/shared-lookup.ts';
import type { Kube } from './client.ts';
import { findObject } from './get.ts';
import { matchesLabels } from './label-selector.ts';
import { secretsStoreVolumes } from './pod-spec.ts';
import type { Resource } from './resources.ts';

/*
 * The author of a pod can write any `ownerReferences`. So an owner counts only if it exists with that uid, its selector matches the pod, and its template has
 * the same class in the same volume.
 */

/** Kinds of apps/v1 that create pods, and that the chart allows to read. */
export const MAKERS = {
  Deployment: 'deployments',
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const satisfies Readonly<Record<string, Resource>>;

/** An owner is read again after this time: its selector never changes, and its template seldom. */
const GOOD_FOR_MS = 60_000;
const RECENT_MS = 5_000;
/** A node runs 110 pods by default, and some hundreds at most. */
const MAX_KEPT = 256;
/** Maximum length of a selector as JSON. */
const MAX_SELECTOR = 8_192;

/** A workload or a ReplicaSet of the API server. */
export type ApiMaker = V1Deployment | V1ReplicaSet | V1StatefulSet | V1DaemonSet;

/** The fields of a controller that decide which pods it creates. */
export interface PodMaker {
  readonly selector: V1LabelSelector;
  /** `volumeAttributes` of its pods' Secrets Store volumes, by the volume's name. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Its own controller, such as the Deployment of a ReplicaSet. */
  readonly controller?: ObjectRef;
}

/** All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface OwnerApi {
  /** @returns the owner that the pod names, if it really creates such pods; otherwise the pod itself */
  ownerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<ObjectRef>;
  /** @returns the owner that the pod names; undefined if it does not create such pods */
  makerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<PodMaker | undefined>;
}

export function createOwnerApi(kube: Kube): OwnerApi {
  // The template may have changed right before this pod was created, so a mismatch is checked again. The short cache bounds the reads that false claims cause.
  const lookups = [GOOD_FOR_MS, RECENT_MS].map((ttlMs) =>
    createSharedLookup<PodMaker | 'none'>(kube.clock, { ttlMs, maxEntries: MAX_KEPT }),
  );

  async function makerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<PodMaker | undefined> {
    const { owner, ref } = pod;
    if (!isOwner(owner)) {
      return undefined;
    }
    async function load(): Promise<PodMaker | 'none'> {
      const found = await readMaker(kube, ref.namespace, owner);
      return found === undefined ? 'none' : podMaker(found);
    }
    const key = JSON.stringify([ref.namespace, owner.kind, owner.name, owner.uid]);
    for (const lookup of lookups) {
      const maker = await lookup(key, load, signal);
      if (maker !== 'none' && makesPod(maker, pod, volume)) {
        return maker;
      }
    }
    return undefined;
  }

  return {
    makerOf,
    async ownerOf(pod, volume, signal) {
      return (await makerOf(pod, volume, signal)) === undefined ? itself(pod) : pod.owner;
    },
  };
}

/** A pod with an owner of another kind counts as its own owner. A Deployment owns no pods itself. */
export function isOwner({ apiVersion, kind }: ObjectRef): boolean {
  return apiVersion === 'apps/v1' && Object.hasOwn(MAKERS, kind) && kind !== 'Deployment';
}

/** @returns undefined if it does not exist, or was recreated with another uid. @throws ProviderError KubernetesUnavailable, or the signal's reason */
export async function readMaker(
  kube: Kube,
  namespace: string,
  { kind, name, uid }: ObjectRef,
  signal?: AbortSignal,
): Promise<ApiMaker | undefined> {
  const resource = MAKERS[kind as keyof typeof MAKERS];
  return await findObject<ApiMaker>(kube, { resource, namespace, name, uid }, signal);
}

export function podMaker(object: ApiMaker): PodMaker {
  const { selector = {}, template } = object.spec ?? {};
  const controller = controllerOf(object);
  return {
    selector: JSON.stringify(selector).length > MAX_SELECTOR ? {} : selector,
    volumes: secretsStoreVolumes(template?.spec),
    ...(controller !== undefined && { controller: refOf(controller) }),
  };
}

/** Whether its selector matches the pod, and its template has the same class in this volume. */
export function makesPod({ selector, volumes }: PodMaker, pod: NodePod, volume: string): boolean {
  const className = pod.volumes.get(volume)?.get(CLASS_ATTRIBUTE);
  return (
    className !== undefined &&
    volumes.get(volume)?.get(CLASS_ATTRIBUTE) === className &&
    matchesLabels(selector, pod.labels)
  );
}

function itself({ ref: { name, uid } }: NodePod): ObjectRef {
  return { apiVersion: 'v1', kind: 'Pod', name, uid };
}
