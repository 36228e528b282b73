import { type Clock, SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { createFetcher } from '../aws/fetch.ts';
import type { Config } from '../config/config.ts';
import { type ProviderServer, startServer } from '../grpc/server.ts';
import { openKube } from '../kube/client.ts';
import { createTokenRequests } from '../kube/token-requests.ts';
import { createRegionLookup } from '../kube/nodes.ts';
import { createSelfReport } from '../kube/self-report.ts';
import { createRoleLookup } from '../kube/service-accounts.ts';
import { createClassReader } from '../mount/class-reader.ts';
import { serveMount } from '../mount/serve.ts';
import { openTargetBelow } from '../mount/volume/open-directory.ts';
import { createVolumes } from '../mount/volume/volumes.ts';
import { createWriteBudget } from '../mount/volume/write-budget.ts';
import type { Staleness } from '../rotation/reconciler.ts';
import { serveHealth } from '../observability/http.ts';
import { listenForNotices, openReconciler } from './open-reconciler.ts';
import { requireOwnVolume } from '../request/volume-path.ts';
import type { Logger } from '../observability/logger.ts';

export interface Daemon extends AsyncDisposable {
  /** Where health checks are served. */
  readonly healthPort: number;
  /** How old what the node's pods hold may be; empty where nobody looks after them. For metrics. */
  staleness(): readonly Staleness[];
}

/**
 * The composition root: opens everything in order, and closes it in the opposite one. What fails half way closes what was open.
 * @throws Error that says what could not be opened
 */
export async function startDaemon(config: Config, log: Logger, clock: Clock = SYSTEM_CLOCK): Promise<Daemon> {
  await using opening = new AsyncDisposableStack();
  let ready = false;
  let server: ProviderServer | undefined;
  const health = opening.use(await serveHealth(config.healthAddress, () => ready && server?.isReachable() === true));
  const kube = opening.use(openKube(config.kube));
  const fetcher = opening.use(
    createFetcher({
      clock,
      settings: config.aws,
      roleOf: createRoleLookup(kube),
      limits: {
        intervalMs: config.rotationPollIntervalMs,
        cacheMaxBytes: config.cacheMaxBytes,
        // Below a mount's own time, so that a store's last word is what the pod's event says.
        deadlineMs: config.mountTimeoutMs * 0.9,
      },
    }),
  );
  const regionOf = createRegionLookup(kube, config.kube);
  const deps = {
    clock,
    ...(config.tokenRequest && { requestToken: createTokenRequests(kube) }),
    ...(!config.driverWritesSecrets && {
      volumes: createVolumes({
        budget: createWriteBudget(config.volumes),
        openVolume: openTargetBelow(config.volumes),
      }),
    }),
    readClass: createClassReader(),
    fetchAll: fetcher.fetchAll,
    currentAsOf: fetcher.currentAsOf,
    defaultRegion: async (...args: Parameters<typeof regionOf>) => config.defaultRegion ?? (await regionOf(...args)),
  };
  const reconciler = opening.use(openReconciler({ config, log, kube, serve: deps, fetcher }));
  opening.use(reconciler && listenForNotices(config, reconciler, log));
  server = opening.use(
    await startServer({
      onTaken: createSelfReport(kube, config.kube, log),
      socketPath: config.socketPath,
      drainMs: config.drainMs,
      mountTimeoutMs: config.mountTimeoutMs,
      clock,
      log,
      async serveMount(call, signal) {
        requireOwnVolume(call, config.volumes.kubeletDir);
        const served = await serveMount(call, deps, signal);
        return (await reconciler?.mounted(call, served, signal)) ?? served;
      },
    }),
  );
  // At a stop nobody is looked after any more while mounts finish: after an upgrade another process does that already.
  opening.defer(() => reconciler?.[Symbol.asyncDispose]());
  // Last in, first out: whoever asks must hear of the stop before the socket goes.
  opening.defer(() => {
    ready = false;
  });
  ready = true;
  const opened = opening.move();
  return {
    healthPort: health.port,
    staleness: () => reconciler?.staleness() ?? [],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}
