import { ProviderError } from '../model/errors.ts';
import type { ProviderClass } from '../model/kube-objects.ts';
import { type ApiObject, mapOf } from './api-object.ts';
import { createSharedLookup } from '../concurrency/shared-lookup.ts';
import type { Kube } from './client.ts';
import { findObject } from './get.ts';

/** Long enough for all mounts of a class in one poll, and short enough for a user who has just changed the class. */
const GOOD_FOR_MS = 1_000;
/** Few, because a class may be as large as the API server allows. */
const MAX_KEPT = 16;

interface ApiClass extends ApiObject {
  readonly spec?: {
    readonly provider?: string;
    readonly parameters?: Readonly<Record<string, string>>;
    readonly secretObjects?: unknown;
  };
}

/** @throws ProviderError ClassMissing, KubernetesUnavailable, or the signal's reason */
export type ClassLookup = (namespace: string, name: string, signal: AbortSignal) => Promise<ProviderClass>;

export function createClassLookup(kube: Kube): ClassLookup {
  const classes = createSharedLookup<ProviderClass>(kube.clock, { ttlMs: GOOD_FOR_MS, maxEntries: MAX_KEPT });
  // Names in Kubernetes contain no slash.
  return (namespace, name, signal) => classes(`${namespace}/${name}`, () => readClass(kube, namespace, name), signal);
}

async function readClass(kube: Kube, namespace: string, name: string): Promise<ProviderClass> {
  const found = await findObject<ApiClass>(kube, { resource: 'secretproviderclasses', namespace, name });
  if (found === undefined) {
    throw new ProviderError(
      'ClassMissing',
      `SecretProviderClass "${namespace}/${name}" does not exist, or no longer exists: create it again, or end the pods that mount it; their files stay as they are`,
    );
  }
  const { metadata, spec } = found;
  return {
    namespace,
    name,
    provider: spec?.provider ?? '',
    parameters: mapOf(spec?.parameters),
    annotations: mapOf(metadata?.annotations),
    secretObjects: spec?.secretObjects,
  };
}
