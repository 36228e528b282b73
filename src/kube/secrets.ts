import type { V1Secret } from '@kubernetes/client-node';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { AppliedSecret, ManagedFields, SecretApi, SecretName, StoredSecret } from '../sync/secret-api.ts';
import { mapOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { refusal, type Status } from './errors.ts';
import type { KubeRequest } from './request.ts';

export function createSecretApi(kube: Pick<Kube, 'ask'>): SecretApi {
  return {
    async read({ namespace, name }, signal) {
      const { status, object } = await kube.ask<V1Secret>(
        { verb: 'get', resource: 'secrets', namespace, name, accepts: [404] },
        signal,
      );
      return status === 404 ? undefined : storedSecret(object);
    },

    async create(secret, manager, fields, signal) {
      const { status, object } = await kube.ask<V1Secret>(
        {
          verb: 'create',
          resource: 'secrets',
          ...secret,
          query: { fieldManager: manager },
          body: appliedSecret(secret, fields),
          accepts: [409],
        },
        signal,
      );
      return status === 409 ? 'changed' : storedSecret(object);
    },

    async claim(secret, manager, { uid, resourceVersion, managedFields }, signal) {
      const claimed = managedFields.map((entry) =>
        isSetBy(entry, manager) ? { ...entry, operation: 'Apply' } : entry,
      );
      const { status, object } = await kube.ask<V1Secret>(
        {
          verb: 'merge',
          resource: 'secrets',
          ...secret,
          query: { fieldManager: manager },
          body: { metadata: { uid, resourceVersion, managedFields: claimed } },
          accepts: [404, 409, 422],
        },
        signal,
      );
      return status >= 400 ? 'changed' : storedSecret(object);
    },

    async apply(secret, manager, fields, signal) {
      const request: KubeRequest = {
        verb: 'apply',
        resource: 'secrets',
        namespace: secret.namespace,
        name: secret.name,
        query: { fieldManager: manager, force: 'true' },
        body: appliedSecret(secret, fields),
        accepts: [409, 422],
      };
      const { status, object } = await kube.ask<V1Secret & Status>(request, signal);
      if (status === 422 && !isOfAnother(object)) {
        throw refusal(request, status, object);
      }
      return status === 409 || status === 422 ? 'changed' : storedSecret(object);
    },

    async remove({ namespace, name }, { uid, resourceVersion }, signal) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
      const { status } = await kube.ask(
        { verb: 'delete', resource: 'secrets', namespace, name, body, accepts: [404, 409] },
        signal,
      );
      return status === 409 ? 'changed' : 'written';
    },
  };
}

function storedSecret({ metadata, type, immutable, data }: V1Secret): StoredSecret {
  const appliers = (metadata?.managedFields ?? []).filter(({ operation }) => operation === 'Apply');
  return {
    uid: metadata?.uid ?? '',
    resourceVersion: metadata?.resourceVersion ?? '',
    type: type ?? 'Opaque',
    isImmutable: immutable ?? false,
    isTerminating: metadata?.deletionTimestamp !== undefined,
    labels: mapOf(metadata?.labels),
    annotations: mapOf(metadata?.annotations),
    data: new Map(
      Object.entries(data ?? {}).map(([key, value]) => [key, new SecretBytes(Buffer.from(value, 'base64'))]),
    ),
    owners: (metadata?.ownerReferences ?? []).map(refOf),
    appliers: new Set(appliers.map(({ manager = '' }) => manager)),
    managedFields: metadata?.managedFields ?? [],
  };
}

function isSetBy({ manager, operation, subresource }: ManagedFields, name: string): boolean {
  return manager === name && operation === 'Update' && subresource === undefined;
}

/** If the uid differs, or the Secret no longer exists, the API server reports an attempt to change the uid. */
function isOfAnother({ details }: Status): boolean {
  return details?.causes?.some(({ field }) => field === 'metadata.uid') === true;
}

function appliedSecret({ namespace, name }: SecretName, fields: AppliedSecret): object {
  const { resourceVersion, uid, type, isImmutable, labels, annotations, data, owners } = fields;
  const encoded = data && [...data].map(([key, value]) => [key, Buffer.from(value.expose()).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(labels && { labels: Object.fromEntries(labels) }),
      ...(annotations && { annotations: Object.fromEntries(annotations) }),
      ...(owners && { ownerReferences: owners }),
    },
    ...(type !== undefined && { type }),
    ...(isImmutable !== undefined && { immutable: isImmutable }),
    ...(encoded && { data: Object.fromEntries(encoded) }),
  };
}
