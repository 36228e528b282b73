import { withTimeout } from '../concurrency/cancellation.ts';
import { ProviderError } from '../model/errors.ts';
import type { MountSpec, ObjectSpec } from '../model/mount-spec.ts';
import type { ObjectAccess, ServeDeps } from '../mount/serve.ts';
import { type CachedStore, createCachedStore } from './cache/cached-store.ts';
import type { StoreClient } from './cache/shared-fetches.ts';
import { isPinned } from './cache/source-key.ts';
import type { Clients } from './client/clients.ts';
import { createAuthentication, type CredentialDeps } from './identity/credentials.ts';
import type { StoreRequest } from './model/store.ts';
import { createStoreClients } from './store-client.ts';
import { fetchWithFailover } from './stores/failover.ts';

export interface FetcherDeps extends Omit<CredentialDeps, 'clients' | 'deadline'> {
  /** The fetcher disposes of them. */
  readonly clients: Clients;
  readonly limits: FetchLimits;
}

interface FetchLimits {
  /** Maximum age of a cached value in milliseconds. A class may set less. */
  readonly intervalMs: number;
  /** Bytes of values to cache; 0 caches versions only. */
  readonly cacheMaxBytes: number;
  /** Milliseconds for one fetch from a store, including retries. */
  readonly deadlineMs: number;
}

/** Fetches from both stores with the permissions of pods. Disposing closes the connections. */
export interface Fetcher extends Pick<ServeDeps, 'authenticate'>, Disposable {
  /**
   * Fetches all objects of these mounts from their primary regions into the cache, together for mounts of one identity. Serving the mounts then needs no
   * call, except for values that did not fit into the cache. Failures surface when a mount is served, not here.
   * @throws the signal's reason
   */
  refresh(specs: readonly MountSpec[], signal: AbortSignal): Promise<void>;
}

export function createFetcher({ clock, clients, limits, settings, roleOf }: FetcherDeps): Fetcher {
  const closing = new AbortController();
  function deadline(): AbortSignal {
    return withTimeout(clock, limits.deadlineMs, closing.signal);
  }
  const authenticate = createAuthentication({ clock, settings, roleOf, clients, deadline });
  const storeClientFor = createStoreClients(clients, clock);
  const store = createCachedStore({ clock, maxBytes: limits.cacheMaxBytes, deadline });

  /** @returns nothing for a pod that cannot authenticate, or whose token is unverified: its values are not shared, so there is nothing to cache */
  async function refreshable(spec: MountSpec, signal: AbortSignal) {
    const pod = await authenticate(spec, signal).catch(() => undefined);
    const { objects, regions } = spec;
    return pod?.isOwn === true
      ? [{ objects, client: storeClientFor(pod, regions[0], 'poll'), tokenEndsAt: pod.tokenEndsAt }]
      : [];
  }

  return {
    async authenticate(spec, purpose, signal) {
      if (spec.objects.length === 0) {
        return { fetchAll: async () => new Map(), confirmVersions: async () => clock.now() };
      }
      const pod = await authenticate(spec, signal);
      // A class may shorten the operator's interval, but not extend it.
      const maxAgeMs = Math.min(spec.pollIntervalMs ?? limits.intervalMs, limits.intervalMs);
      return accessTo(spec, store, (region) => storeClientFor(pod, region, purpose), maxAgeMs);
    },
    async refresh(specs, signal) {
      const mounts = await Promise.all(specs.map((spec) => refreshable(spec, signal)));
      signal.throwIfAborted();
      const groups = Map.groupBy(mounts.flat(), ({ client }) => client.key);
      await Promise.all(
        Array.from(groups.values(), async (group) => {
          // If new credentials are needed, the token that expires last is the best to use.
          const { client } = group.reduce((one, other) => (other.tokenEndsAt > one.tokenEndsAt ? other : one));
          await store.refresh(
            group.flatMap(({ objects }) => objects.map(primaryOf)),
            client,
            signal,
          );
        }),
      );
    },
    [Symbol.dispose]() {
      closing.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      clients[Symbol.dispose]();
    },
  };
}

function accessTo(
  spec: MountSpec,
  store: CachedStore,
  clientIn: (region: string) => StoreClient,
  maxAgeMs: number,
): ObjectAccess {
  return {
    fetchAll: (signal) =>
      fetchWithFailover(spec, (region, requests) => store.read(requests, clientIn(region), maxAgeMs, signal)),
    async confirmVersions(versions, signal) {
      const requests = spec.objects.map(primaryOf);
      // Version numbers of parameters are not reliable: a recreated parameter starts at 1 again, and one that refers to a secret always has 0.
      if (requests.some((request) => request.object.store === 'ssmparameter' && !isPinned(request))) {
        return undefined;
      }
      const expected = new Map(requests.map((request) => [request, versions.get(request.object.path) ?? '']));
      return await store.confirmVersions(expected, clientIn(spec.regions[0]), maxAgeMs, signal);
    },
  };
}

function primaryOf(object: ObjectSpec): StoreRequest {
  return { object, source: object.primary };
}
