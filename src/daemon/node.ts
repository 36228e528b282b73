import type { Clients } from '../aws/client/clients.ts';
import { createFetcher, type Fetcher } from '../aws/fetch.ts';
import type { Clock } from '../concurrency/clock.ts';
import { createTimeSlices } from '../concurrency/time-slices.ts';
import type { Config } from '../config/config.ts';
import { createClassLookup } from '../kube/classes.ts';
import type { Kube } from '../kube/client.ts';
import { createEventRecorder } from '../kube/events.ts';
import { createRegionLookup } from '../kube/nodes.ts';
import { createOwnerApi } from '../kube/owners.ts';
import { createPodStatusApi } from '../kube/pod-statuses.ts';
import { createPodApi } from '../kube/pods.ts';
import { createSecretApi } from '../kube/secrets.ts';
import { createRoleLookup } from '../kube/service-accounts.ts';
import { createTokenRequests } from '../kube/token-requests.ts';
import { createWorkloadApi } from '../kube/workloads.ts';
import { NAME } from '../model/version.ts';
import { createClassReader } from '../mount/class-reader.ts';
import { type ServeDeps, type ServedMount, serveMount, type SpecDeps } from '../mount/serve.ts';
import { openTargetBelow } from '../mount/volume/open-directory.ts';
import { createVolumes } from '../mount/volume/volumes.ts';
import { createWriteBudget } from '../mount/volume/write-budget.ts';
import type { Logger } from '../observability/logger.ts';
import type { MountCall } from '../request/parse-request.ts';
import { requireOwnVolume } from '../request/volume-path.ts';
import { createRestarts } from '../restart/rolling-restart.ts';
import { type Reconciler, startReconciler } from '../rotation/reconciler.ts';
import { createSecretSync } from '../sync/secret-sync.ts';

/** Connections to the outside, which tests replace. */
export interface Edges {
  readonly clock: Clock;
  readonly log: Logger;
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

export function openNode(config: Config, { clock, log, kube, clients }: Edges): NodeProvider {
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
  const serve = {
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
  const reconciler = startPolling(config, { log, kube, serve, fetcher });
  return {
    async serveMount(call, signal) {
      requireOwnVolume(call, config.volumes.kubeletDir);
      const served = await serveMount(call, serve, signal);
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

interface PollingDeps {
  readonly log: Logger;
  readonly kube: Kube;
  readonly serve: SpecDeps & ServeDeps;
  readonly fetcher: Pick<Fetcher, 'refresh'>;
}

/** @returns undefined if neither rotation nor sync is enabled */
function startPolling(config: Config, { log, kube, serve, fetcher }: PollingDeps): Reconciler | undefined {
  const { rotation, syncSecret, restart, rotationPollIntervalMs: intervalMs } = config;
  const { nodeName } = config.kube;
  if (nodeName === undefined || (!rotation.enabled && !syncSecret)) {
    return undefined;
  }
  const { clock } = serve;
  const pods = createPodApi(kube);
  const owners = createOwnerApi(kube);
  const recordEvent = createEventRecorder(kube, { component: NAME, nodeName }, log);
  const classOf = createClassLookup(kube);
  const sync = createSecretSync({
    clock,
    secrets: createSecretApi(kube),
    podsOf: pods.podsOf,
    ownerOf: owners.ownerOf,
    classOf,
    verifyMs: intervalMs / 2,
    policy: config.secretPolicy,
  });
  const restarts = createRestarts({
    clock,
    workloads: createWorkloadApi(kube, owners),
    minIntervalMs: restart.minIntervalMs,
    recordEvent,
  });
  return startReconciler({
    ...serve,
    ...createPodStatusApi(kube),
    refresh: fetcher.refresh,
    downstream: [...(syncSecret ? [sync] : []), ...(restart.enabled ? [restarts] : [])],
    rotates: rotation.enabled,
    providerName: config.providerName,
    nodeName,
    intervalMs,
    mountTimeoutMs: config.mountTimeoutMs,
    log,
    recordEvent,
    classOf,
    listPods: (signal) => pods.listPods(nodeName, signal),
    podOf: pods.getPod,
    kubeletDir: config.volumes.kubeletDir,
    drop: sync.drop,
  });
}
