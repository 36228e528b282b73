import { type Clock, SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import type { MountDeps } from '../mount/mount.ts';
import type { MountSpec, ObjectSpec } from '../model/mount-spec.ts';
import { createStoreClients } from './store-client.ts';
import { type Clients, openClients } from './client/clients.ts';
import { fetchWithFailover } from './stores/failover.ts';
import { createCredentialsSource, type CredentialDeps } from './identity/credentials.ts';
import { createValueCache } from './cache/value-cache.ts';
import { createCachedStore } from './cache/cached-store.ts';
import { isPinned } from './cache/source-key.ts';
import type { StoreRequest } from './model/store.ts';

export interface FetcherDeps extends Pick<CredentialDeps, 'settings' | 'roleOf'> {
  readonly clock?: Clock;
  /** Default: new clients. The fetcher disposes of them. */
  readonly clients?: Clients;
  readonly limits: FetchLimits;
}

export interface FetchLimits {
  /** Maximum age of a cached value in milliseconds. A class may set less. */
  readonly intervalMs: number;
  /** Bytes of values to cache; 0 caches versions only. */
  readonly cacheMaxBytes: number;
  /** Milliseconds for one fetch from a store, including retries. */
  readonly deadlineMs: number;
}

/** Fetches from both stores with the permissions of pods. Disposing closes the connections. */
export interface Fetcher extends Pick<MountDeps, 'fetchAll'>, Disposable {
  /**
   * Checks that the primary region still has these versions (by file).
   * @returns when AWS confirmed them, in milliseconds on the monotonic clock; undefined if one differs, or if versions are not reliable
   * @throws ProviderError if the pod cannot authenticate
   */
  confirmVersions(
    spec: MountSpec,
    versions: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /**
   * Fetches all objects of these mounts from their primary regions into the cache, together for mounts of one identity. Serving the mounts then needs no
   * call, except for values that did not fit into the cache. Failures surface when a mount is served, not here.
   * @throws the signal's reason
   */
  refresh(specs: readonly MountSpec[], signal: AbortSignal): Promise<void>;
}

export function createFetcher({
  settings,
  roleOf,
  limits,
  clock = SYSTEM_CLOCK,
  clients = openClients(settings),
}: FetcherDeps): Fetcher {
  const closing = new AbortController();
  const limiters = { sts: createLimiter(16), agent: createLimiter(16) };
  const credentials = createCredentialsSource({
    clock,
    settings,
    roleOf,
    sts: (region, party) => ({
      client: clients,
      region,
      limit: (call, signal) => limiters.sts.run({ lane: region, party }, call, signal),
    }),
    agentLimit: (party) => (call, signal) => limiters.agent.run({ lane: '', party }, call, signal),
    deadline: () => AbortSignal.any([closing.signal, clock.timeout(limits.deadlineMs)]),
  });
  const storeClientFor = createStoreClients(clients, clock);
  const reader = createCachedStore(createValueCache(limits.cacheMaxBytes), {
    clock,
    deadlineMs: limits.deadlineMs,
    closing: closing.signal,
  });

  /** A class may shorten the operator's interval, but not extend it. */
  function intervalOf({ pollIntervalMs = limits.intervalMs }: MountSpec): number {
    return Math.min(pollIntervalMs, limits.intervalMs);
  }

  return {
    async fetchAll(spec, signal) {
      if (spec.objects.length === 0) {
        return [];
      }
      const pod = await credentials.authenticate(spec, signal);
      return await fetchWithFailover(spec, (region, requests) =>
        reader.read(requests, storeClientFor(pod, region), intervalOf(spec), signal),
      );
    },
    async confirmVersions(spec, versions, signal) {
      if (spec.objects.length === 0) {
        return clock.now();
      }
      const requests = spec.objects.map(primaryOf);
      // Version numbers of parameters are not reliable: a recreated parameter starts at 1 again, and one that refers to a secret always has 0.
      if (requests.some((request) => request.object.store === 'ssmparameter' && !isPinned(request))) {
        return undefined;
      }
      const pod = await credentials.authenticate(spec, signal);
      const expected = requests.map((request) => [request, versions.get(request.object.path) ?? ''] as const);
      return await reader.confirmVersions(
        new Map(expected),
        storeClientFor(pod, spec.regions[0]),
        intervalOf(spec),
        signal,
      );
    },
    async refresh(specs, signal) {
      const asked = await Promise.all(
        specs.map(async (spec) => {
          try {
            const pod = await credentials.authenticate(spec, signal);
            // The values of an unverified token are not shared, so there is nothing to cache.
            return pod.isOwn ? [{ spec, pod }] : [];
          } catch {
            return [];
          }
        }),
      );
      signal.throwIfAborted();
      const groups = Map.groupBy(asked.flat(), ({ spec, pod }) => storeClientFor(pod, spec.regions[0]).key);
      await Promise.all(
        Array.from(groups.values(), async (group) => {
          // If new credentials are needed, the token that expires last is the best to use.
          const { spec, pod } = group.reduce((one, other) =>
            other.pod.tokenEndsAt > one.pod.tokenEndsAt ? other : one,
          );
          const requests = group.flatMap(({ spec: { objects } }) => objects.map(primaryOf));
          await reader.refresh(requests, storeClientFor(pod, spec.regions[0]), signal);
        }),
      );
    },
    [Symbol.dispose]() {
      closing.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      clients[Symbol.dispose]();
    },
  };
}

function primaryOf(object: ObjectSpec): StoreRequest {
  return { object, source: object.primary };
}
