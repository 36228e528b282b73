import { ProviderError } from '../model/errors.ts';
import type { ProviderClass } from '../model/kube-objects.ts';
import { type ApiObject, mapOf } from './api-object.ts';
import type { Kube } from './client.ts';
import { sharedLookup } from './shared-lookup.ts';

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

export function createClassLookup(kube: Pick<Kube, 'ask' | 'clock'>): ClassLookup {
  const classes = sharedLookup(
    GOOD_FOR_MS,
    async (key): Promise<ProviderClass> => {
      const [namespace = '', name = ''] = key.split('/');
      const { status, object } = await kube.ask<ApiClass>({
        verb: 'get',
        resource: 'secretproviderclasses',
        namespace,
        name,
        accepts: [404],
      });
      if (status === 404) {
        throw new ProviderError(
          'ClassMissing',
          `SecretProviderClass "${key}" does not exist, or no longer exists: create it again, or end the pods that mount it; their files stay as they are`,
        );
      }
      const { metadata, spec } = object;
      return {
        namespace,
        name,
        provider: spec?.provider ?? '',
        parameters: mapOf(spec?.parameters),
        annotations: mapOf(metadata?.annotations),
        secretObjects: spec?.secretObjects,
      };
    },
    kube.clock,
    MAX_KEPT,
  );
  // Names in Kubernetes contain no slash.
  return (namespace, name, signal) => classes(`${namespace}/${name}`, signal);
}
