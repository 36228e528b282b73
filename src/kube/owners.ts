import { CLASS_ATTRIBUTE, type NodePod, type ObjectRef } from '../model/kube-objects.ts';
import { type ApiObject, controllerOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { type LabelSelector, matchesLabels } from './label-selector.ts';
import { type PodSpec, secretsStoreVolumes } from './pod-spec.ts';
import type { Resource } from './resources.ts';
import { sharedLookup } from './shared-lookup.ts';

/*
 * A pod's author writes its `ownerReferences` himself, and may name whom he likes. An owner counts only where it is there with that uid, selects the
 * pod by its labels, and makes its pods with this class in this volume.
 */

/** Kinds that own pods and can be read, as the chart allows. Pods of other kinds count as their own owners. */
const OWNER_RESOURCES = {
  ReplicaSet: 'replicasets',
  StatefulSet: 'statefulsets',
  DaemonSet: 'daemonsets',
} as const satisfies Readonly<Record<string, Resource>>;
export const APPS = 'apps/v1';

/** What an owner is asked for again after: its pods' labels never change, and its template seldom. */
const GOOD_FOR_MS = 60_000;
const RECENT_MS = 5_000;
/** A node runs 110 pods, or some hundreds where it is told to. */
const MAX_KEPT = 256;
/** JSON text of a selector that is kept. */
const MAX_SELECTOR = 8_192;

/** A workload, or a ReplicaSet, as the API server writes it. */
export interface ApiMaker extends ApiObject {
  readonly spec?: { readonly selector?: LabelSelector; readonly template?: ApiObject & { readonly spec?: PodSpec } };
}

/** How something that makes pods makes them. */
export interface PodMaker {
  readonly selector: LabelSelector;
  /** `volumeAttributes` of its pods' Secrets Store volumes, by the volume's name. */
  readonly volumes: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Who made it in turn. */
  readonly controller?: ObjectRef;
}

/** All: @throws ProviderError KubernetesUnavailable, or the signal's reason */
export interface OwnerApi {
  /** The owner that the pod names, where it is that of a pod with this volume; else the pod itself. */
  ownerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<ObjectRef>;
  /** How the owner that the pod names makes its pods. @returns undefined where that owner is not the pod's */
  makerOf(pod: NodePod, volume: string, signal: AbortSignal): Promise<PodMaker | undefined>;
}

export function createOwnerApi(kube: Pick<Kube, 'ask' | 'clock'>): OwnerApi {
  async function load(key: string): Promise<PodMaker | undefined> {
    const [namespace = '', apiVersion = '', kind = '', name = '', uid = ''] = JSON.parse(key) as readonly string[];
    const found = await readMaker(kube, namespace, { apiVersion, kind, name, uid });
    return found && podMaker(found);
  }
  const known = sharedLookup(GOOD_FOR_MS, load, kube.clock, MAX_KEPT);
  // Its template may have changed for just this pod; one that claims it falsely has it read no more often than this.
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

/** @returns undefined where it is gone, or another of its name is there. @throws ProviderError KubernetesUnavailable, or the signal's reason */
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

/** Whether it makes pods like this one: by their labels, and by the class in this volume. */
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
