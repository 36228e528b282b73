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
  /** Its own, unless told; disposed of with it. */
  readonly clients?: Clients;
  readonly limits: FetchLimits;
}

export interface FetchLimits {
  /** Longest time in milliseconds that an answer of AWS's is good for, for the identity that got it. A class may say less. */
  readonly intervalMs: number;
  /** Bytes of values to remember; 0 remembers versions only. */
  readonly cacheMaxBytes: number;
  /** Milliseconds for one question to a store, with all tries. */
  readonly deadlineMs: number;
}

/** Both stores, asked as the pods. Disposing of it closes its connections. */
export interface Fetcher extends Pick<MountDeps, 'fetchAll'>, Disposable {
  /**
   * As of when the primary region holds what was read there at these versions (by file), in milliseconds on the monotonic clock.
   * @returns undefined where it does not, or versions do not tell
   * @throws ProviderError where the pod is nobody to AWS
   */
  confirmVersions(
    spec: MountSpec,
    versions: ReadonlyMap<string, string>,
    signal: AbortSignal,
  ): Promise<number | undefined>;
  /**
   * Asks the primary regions anew for all that these mounts ask for, together for those of one identity: serving them is then answered from
   * memory, but for values that found no room there. What fails is told to the mount that is served, not here.
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

  /** A class may have its values asked for more often than the operator says, and never keep them for longer. */
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
      // Numbers do not tell: a parameter made anew begins at 1 again, and one that stands for a secret is always at 0.
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
            // What it is told is for nobody else.
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
          // Credentials may have to be got anew: by the token that lasts longest.
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
