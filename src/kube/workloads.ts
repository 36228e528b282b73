import type { Workload, WorkloadApi, WorkloadKind } from '../restart/workload-api.ts';
import type { ObjectRef } from '../model/kube-objects.ts';
import { mapOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { type ApiMaker, MAKERS, makesPod, type OwnerApi, podMaker, readMaker } from './owners.ts';
import { secretsStoreVolumes } from './pod-spec.ts';

const FIELD_MANAGER = 'aws-secrets-csi';

export function createWorkloadApi(kube: Kube, owners: Pick<OwnerApi, 'makerOf'>): WorkloadApi {
  return {
    async workloadOf(pod, volume, signal) {
      const isReplicaSet = pod.owner.kind === 'ReplicaSet';
      const ref = isReplicaSet ? (await owners.makerOf(pod, volume, signal))?.controller : pod.owner;
      if (ref === undefined || !isWorkload(ref)) {
        return undefined;
      }
      const found = await readMaker(kube, pod.ref.namespace, ref, signal);
      // The pod and its ReplicaSet may be forged, so the workload itself must create such pods.
      return found && makesPod(podMaker(found), pod, volume) ? workload(ref.kind, found) : undefined;
    },

    async patch({ kind, namespace, name, resourceVersion }, { annotations, templateAnnotations }, signal) {
      const { status } = await kube.ask(
        {
          verb: 'merge',
          resource: MAKERS[kind],
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

function isWorkload(ref: ObjectRef): ref is ObjectRef & { readonly kind: WorkloadKind } {
  return ref.apiVersion === 'apps/v1' && Object.hasOwn(MAKERS, ref.kind) && ref.kind !== 'ReplicaSet';
}

function workload(kind: WorkloadKind, { metadata, spec }: ApiMaker): Workload {
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
