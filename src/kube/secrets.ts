import type { V1Secret } from '@kubernetes/client-node';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { AppliedSecret, ManagedFields, SecretApi, StoredSecret, Written } from '../sync/secret-api.ts';
import { mapOf, refOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { refusal, type Status } from './errors.ts';
import { findObject } from './get.ts';
import type { KubeRequest } from './request.ts';

export function createSecretApi(kube: Kube): SecretApi {
  async function write(request: Omit<KubeRequest, 'resource'>, signal: AbortSignal): Promise<Written> {
    const whole = { ...request, resource: 'secrets' } as const;
    const { status, object } = await kube.ask<V1Secret & Status>(whole, signal);
    if (status === 422 && !isOfAnother(object)) {
      throw refusal(whole, status, object);
    }
    return status >= 400 ? 'changed' : storedSecret(object);
  }

  return {
    async read({ namespace, name }, signal) {
      const found = await findObject<V1Secret>(kube, { resource: 'secrets', namespace, name }, signal);
      return found && storedSecret(found);
    },
    create: (secret, fieldManager, signal) =>
      write({ verb: 'create', ...bodyOf(secret), query: { fieldManager }, accepts: [409] }, signal),
    claim({ namespace, name, uid, resourceVersion, managedFields }, fieldManager, signal) {
      const claimed = managedFields.map((entry) =>
        isSetBy(entry, fieldManager) ? { ...entry, operation: 'Apply' } : entry,
      );
      const body = { metadata: { uid, resourceVersion, managedFields: claimed } };
      return write({ verb: 'merge', namespace, name, query: { fieldManager }, body, accepts: [404, 409, 422] }, signal);
    },
    apply: (secret, fieldManager, signal) =>
      write({ verb: 'apply', ...bodyOf(secret), query: { fieldManager, force: 'true' }, accepts: [409, 422] }, signal),
    async remove({ namespace, name, uid, resourceVersion }, signal) {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
      await kube.ask({ verb: 'delete', resource: 'secrets', namespace, name, body, accepts: [404, 409] }, signal);
    },
  };
}

function storedSecret({ metadata, type, immutable, data }: V1Secret): StoredSecret {
  const appliers = (metadata?.managedFields ?? []).filter(({ operation }) => operation === 'Apply');
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
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

function bodyOf(secret: AppliedSecret) {
  const { namespace, name, resourceVersion, uid, type, isImmutable, labels, annotations, data, owners } = secret;
  const encoded = data && [...data].map(([key, value]) => [key, Buffer.from(value.expose()).toString('base64')]);
  const body = {
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
    ...(isImmutable === true && { immutable: true }),
    ...(encoded && { data: Object.fromEntries(encoded) }),
  };
  return { namespace, name, body };
}
