import type { Clients } from '../aws/client/clients.ts';
import { createFetcher } from '../aws/fetch.ts';
import type { Clock } from '../concurrency/clock.ts';
import { createTimeSlices } from '../concurrency/time-slices.ts';
import type { Config } from '../config/config.ts';
import type { Kube } from '../kube/client.ts';
import { createRegionLookup } from '../kube/nodes.ts';
import { createRoleLookup } from '../kube/service-accounts.ts';
import { createTokenRequests } from '../kube/token-requests.ts';
import { createClassReader } from '../mount/class-reader.ts';
import { type ServedMount, serveMount } from '../mount/serve.ts';
import { openTargetBelow } from '../mount/volume/open-directory.ts';
import { createVolumes } from '../mount/volume/volumes.ts';
import { createWriteBudget } from '../mount/volume/write-budget.ts';
import type { Logger } from '../observability/logger.ts';
import type { MountCall } from '../request/parse-request.ts';
import { requireOwnVolume } from '../request/volume-path.ts';
import type { Reconciler } from '../rotation/reconciler.ts';
import { openReconciler } from './open-reconciler.ts';

/** Connections to the outside, which tests replace. */
export interface Edges {
  readonly clock: Clock;
  readonly kube: Kube;
  /** The node provider disposes of them. */
  readonly clients: Clients;
}

/** Everything that the provider does on a node, independent of gRPC. */
export interface NodeProvider extends AsyncDisposable, Pick<Reconciler, 'onChangeEvents'> {
  /**
   * Writes the files of a Mount call, and updates what depends on them.
   * @throws ProviderError, or the signal's reason
   */
  serveMount(call: MountCall, signal: AbortSignal): Promise<ServedMount>;
  /** Ends rotation and sync; mounts are served as before. */
  stopPolling(): Promise<void>;
}

export function openNode(config: Config, { clock, kube, clients }: Edges, log: Logger): NodeProvider {
  const fetcher = createFetcher({
    clock,
    clients,
    settings: config.aws,
    roleOf: createRoleLookup(kube),
    limits: {
      intervalMs: config.rotationPollIntervalMs,
      cacheMaxBytes: config.cacheMaxBytes,
      // Less than the time of a mount, so that the pod's event names the error of AWS and not just a time-out.
      deadlineMs: config.mountTimeoutMs * 0.9,
    },
  });
  const regionOf = createRegionLookup(kube, config.kube);
  const slices = createTimeSlices(clock);
  const deps = {
    clock,
    slices,
    ...(config.tokenRequest && { requestToken: createTokenRequests(kube) }),
    ...(!config.driverWritesSecrets && {
      volumes: createVolumes({
        clock,
        slices,
        budget: createWriteBudget(config.volumes),
        openVolume: openTargetBelow(config.volumes),
      }),
    }),
    readClass: createClassReader(slices, clock),
    authenticate: fetcher.authenticate,
    defaultRegion: async (...args: Parameters<typeof regionOf>) => config.defaultRegion ?? (await regionOf(...args)),
  };
  const reconciler = openReconciler({ config, log, kube, serve: deps, fetcher });
  return {
    async serveMount(call, signal) {
      requireOwnVolume(call, config.volumes.kubeletDir);
      const served = await serveMount(call, deps, signal);
      return (await reconciler?.mounted(call, served, signal)) ?? served;
    },
    onChangeEvents: (concerns) => reconciler?.onChangeEvents(concerns),
    stopPolling: async () => reconciler?.[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await reconciler?.[Symbol.asyncDispose]();
      fetcher[Symbol.dispose]();
    },
  };
}
