import type { Workload, WorkloadApi, WorkloadKind } from '../restart/workload-api.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { mapOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { type ApiMaker, APPS, makesPod, type OwnerApi, podMaker } from './owners.ts';
import { secretsStoreVolumes } from './pod-spec.ts';

const FIELD_MANAGER = 'aws-secrets-csi';

const KINDS = { Deployment: 'deployments', StatefulSet: 'statefulsets', DaemonSet: 'daemonsets' } as const;

export function createWorkloadApi(kube: Pick<Kube, 'ask'>, owners: Pick<OwnerApi, 'makerOf'>): WorkloadApi {
  async function find(namespace: string, ref: ObjectRef, signal: AbortSignal): Promise<FoundWorkload | undefined> {
    const { apiVersion, kind, name, uid } = ref;
    if (apiVersion !== APPS || !isWorkloadKind(kind)) {
      return undefined;
    }
    const { status, object } = await kube.ask<ApiMaker>(
      { verb: 'get', resource: KINDS[kind], namespace, name, accepts: [404] },
      signal,
    );
    return status === 404 || object.metadata?.uid !== uid ? undefined : { kind, object };
  }

  return {
    async workloadOf(pod, volume, signal) {
      const isReplicaSet = pod.owner.kind === 'ReplicaSet';
      const ref = isReplicaSet ? (await owners.makerOf(pod, volume, signal))?.controller : pod.owner;
      const found = ref && (await find(pod.ref.namespace, ref, signal));
      // The pod and its ReplicaSet may be forged, so the workload itself must create such pods.
      return found && makesPod(podMaker(found.object), pod, volume) ? workload(found) : undefined;
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

interface FoundWorkload {
  readonly kind: WorkloadKind;
  readonly object: ApiMaker;
}

function workload({ kind, object: { metadata, spec } }: FoundWorkload): Workload {
  const { namespace = '', name = '', resourceVersion = '', annotations } = metadata ?? {};
  return {
    kind,
    namespace,
    name,
    resourceVersion,
    annotations: mapOf(annotations),
    volumes: secretsStoreVolumes(spec?.template?.spec),
  };
}
