import type { Workload, WorkloadApi, WorkloadKind } from '../restart/workload-api.ts';
import type { ObjectRef } from '../spec/kube-objects.ts';
import { type ApiObject, controllerOf, mapOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { type PodSpec, secretsStoreVolumes } from './pod-spec.ts';

const API_VERSION = 'apps/v1';
const FIELD_MANAGER = 'aws-secrets-csi';
const MAX_KEPT = 1_000;

const KINDS = { Deployment: 'deployments', StatefulSet: 'statefulsets', DaemonSet: 'daemonsets' } as const;

interface ApiWorkload extends ApiObject {
  readonly spec?: { readonly template?: ApiObject & { readonly spec?: PodSpec } };
}

export function createWorkloadApi(kube: Pick<Kube, 'ask'>): WorkloadApi {
  /** A ReplicaSet's controller never changes; it is undefined where there is none. */
  const controllers = new Map<string, ObjectRef | undefined>();

  async function find<Shape extends ApiObject>(
    resource: (typeof KINDS)[WorkloadKind] | 'replicasets',
    namespace: string,
    { name, uid }: ObjectRef,
    signal: AbortSignal,
  ): Promise<Shape | undefined> {
    const { status, object } = await kube.ask<Shape>(
      { verb: 'get', resource, namespace, name, accepts: [404] },
      signal,
    );
    return status === 404 || object.metadata?.uid !== uid ? undefined : object;
  }

  async function controllerOfReplicaSet(
    namespace: string,
    owner: ObjectRef,
    signal: AbortSignal,
  ): Promise<ObjectRef | undefined> {
    if (controllers.has(owner.uid)) {
      return controllers.get(owner.uid);
    }
    const found = await find('replicasets', namespace, owner, signal);
    if (found === undefined) {
      return undefined;
    }
    const controller = controllerOf(found);
    for (const oldest of [...controllers.keys()].slice(0, controllers.size + 1 - MAX_KEPT)) {
      controllers.delete(oldest);
    }
    controllers.set(owner.uid, controller && refOf(controller));
    return controller;
  }

  return {
    async workloadOf(namespace, owner, signal) {
      const isReplicaSet = owner.apiVersion === API_VERSION && owner.kind === 'ReplicaSet';
      const ref = isReplicaSet ? await controllerOfReplicaSet(namespace, owner, signal) : owner;
      if (ref?.apiVersion !== API_VERSION || !isWorkloadKind(ref.kind)) {
        return undefined;
      }
      const found = await find<ApiWorkload>(KINDS[ref.kind], namespace, ref, signal);
      return found && workload(ref.kind, found);
    },

    async patch({ kind, namespace, name, resourceVersion }, { annotations, templateAnnotations }, signal) {
      const { status } = await kube.ask(
        {
          verb: 'merge',
          resource: KINDS[kind],
          namespace,
          name,
          query: { fieldManager: FIELD_MANAGER },
          body: {
            metadata: { resourceVersion, ...(annotations && { annotations }) },
            ...(templateAnnotations && { spec: { template: { metadata: { annotations: templateAnnotations } } } }),
          },
          accepts: [404, 409],
        },
        signal,
      );
      return status === 404 || status === 409 ? 'changed' : 'written';
    },
  };
}

function isWorkloadKind(kind: string): kind is WorkloadKind {
  return Object.hasOwn(KINDS, kind);
}

function workload(kind: WorkloadKind, { metadata, spec }: ApiWorkload): Workload {
  const { namespace = '', name = '', resourceVersion = '', annotations } = metadata ?? {};
  return {
    kind,
    namespace,
    name,
    resourceVersion,
    annotations: mapOf(annotations),
    templateAnnotations: mapOf(spec?.template?.metadata?.annotations),
    volumes: secretsStoreVolumes(spec?.template?.spec),
  };
}
