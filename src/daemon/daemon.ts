import { indexChangeEvents } from '../aws/change-events/match-event.ts';
import { receiveEvents } from '../aws/change-events/receive.ts';
import { openClients } from '../aws/client/clients.ts';
import { type Clock, SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { createServerClock } from '../concurrency/server-clock.ts';
import type { Config } from '../config/config.ts';
import { type ProviderServer, startServer } from '../grpc/server.ts';
import { type Kube, openKube } from '../kube/client.ts';
import { createSelfReport } from '../kube/self-report.ts';
import { serveHealth } from '../observability/http.ts';
import type { Logger } from '../observability/logger.ts';
import { type NodeProvider, openNode } from './node.ts';

export interface Daemon extends AsyncDisposable {
  /** Address of the health checks. */
  readonly healthPort: number;
}

/**
 * The composition root: opens everything in order, and closes it in the reverse order. If a step fails, everything that was opened is closed.
 * @throws Error that names what could not be opened
 */
export async function startDaemon(config: Config, log: Logger, nodeClock: Clock = SYSTEM_CLOCK): Promise<Daemon> {
  await using opening = new AsyncDisposableStack();
  // AWS's time, so that all nodes agree on which of two values is newer.
  const clock = createServerClock(nodeClock);
  let ready = false;
  let server: ProviderServer | undefined;
  const health = opening.use(await serveHealth(config.healthAddress, () => ready && server?.isReachable() === true));
  const kube: Kube = opening.use(openKube(config.kube, undefined, clock));
  const node = opening.use(openNode(config, { clock, log, kube, clients: openClients(config.aws, clock) }));
  opening.use(receiveChangeEvents(config, { node, log, clock }));
  server = opening.use(
    await startServer({
      // The driver's deadlines are on the node's own clock.
      clock: nodeClock,
      log,
      onTaken: createSelfReport(kube, config.kube, log),
      socketPath: config.socketPath,
      drainMs: config.drainMs,
      mountTimeoutMs: config.mountTimeoutMs,
      serveMount: node.serveMount,
    }),
  );
  // Polling stops before the drain: after an upgrade another process polls already.
  opening.defer(() => node.stopPolling());
  // Last in, first out: readiness checks must fail before the socket is removed.
  opening.defer(() => {
    ready = false;
  });
  ready = true;
  const opened = opening.move();
  return { healthPort: health.port, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Polls what a queue reports as changed at once. Without a queue, changes are found once per poll interval. */
function receiveChangeEvents(
  { rotation, aws }: Config,
  { node, log, clock }: { readonly node: NodeProvider; readonly log: Logger; readonly clock: Clock },
): AsyncDisposable | undefined {
  if (rotation.queueUrl === undefined) {
    return undefined;
  }
  return receiveEvents({
    clock,
    queueUrl: rotation.queueUrl,
    settings: aws,
    onEvents(events) {
      log.info({ events: events.length }, 'change events received');
      node.onChangeEvents(indexChangeEvents(events));
    },
    onTrouble: ({ reason, message }) =>
      log.error({ reason, error: message }, 'change queue is not readable: changes are found by polling'),
    onRecovery: () => log.info('change queue is readable again'),
  });
}
