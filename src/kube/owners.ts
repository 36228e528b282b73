import type { V1DaemonSet, V1Deployment, V1LabelSelector, V1ReplicaSet, V1StatefulSet } from '@kubernetes/client-node';
import { CLASS_ATTRIBUTE, type NodePod, type ObjectRef } from '../model/kube-objects.ts';
import { controllerOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { matchesLabels } from './label-selector.ts';
import { secretsStoreVolumes } from './pod-spec.ts';
import type { Resource } from './resources.ts';
import { sharedLookup } from './shared-lookup.ts';

/*
 * The author of a pod can write any `ownerReferences`. So an owner counts only if it exists with that uid, its selector matches the pod, and its template has
 * the same class in the same volume.
 */

/** Kinds of owners that the chart allows to read. A pod with an owner of another kind counts as its own owner. */
const OWNER_RESOURCES = {
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const satisfies Readonly<Record<string, Resource>>;
export const APPS = 'apps/v1';

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

export function createOwnerApi(kube: Pick<Kube, 'ask' | 'clock'>): OwnerApi {
  async function load(key: string): Promise<PodMaker | undefined> {
    const [namespace = '', apiVersion = '', kind = '', name = '', uid = ''] = JSON.parse(key) as readonly string[];
    const found = await readMaker(kube, namespace, { apiVersion, kind, name, uid });
    return found && podMaker(found);
  }
  const known = sharedLookup(GOOD_FOR_MS, load, kube.clock, MAX_KEPT);
  // The template may have changed right before this pod was created, so a mismatch is checked again. The short cache bounds the reads that false claims cause.
  const recent = sharedLookup(RECENT_MS, load, kube.clock, MAX_KEPT);

  async function makerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<PodMaker | undefined> {
    const { apiVersion, kind, name, uid } = pod.owner;
    if (!isOwner(pod.owner)) {
      return undefined;
    }
    const key = JSON.stringify([pod.ref.namespace, apiVersion, kind, name, uid]);
    for (const makers of [known, recent]) {
      const maker = await makers(key, signal);
      if (maker !== undefined && makesPod(maker, pod, volume)) {
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

export function isOwner({ apiVersion, kind }: ObjectRef): boolean {
  return apiVersion === APPS && Object.hasOwn(OWNER_RESOURCES, kind);
}

/** @returns undefined if it does not exist, or was recreated with another uid. @throws ProviderError KubernetesUnavailable, or the signal's reason */
export async function readMaker(
  kube: Pick<Kube, 'ask'>,
  namespace: string,
  { kind, name, uid }: ObjectRef,
  signal?: AbortSignal,
): Promise<ApiMaker | undefined> {
  const resource = OWNER_RESOURCES[kind as keyof typeof OWNER_RESOURCES];
  const { status, object } = await kube.ask<ApiMaker>(
    { verb: 'get', resource, namespace, name, accepts: [404] },
    signal,
  );
  return status === 404 || object.metadata?.uid !== uid ? undefined : object;
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
