import { Server } from '@grpc/grpc-js';
import { endsWithin } from '../concurrency/cancellation.ts';
import { ProviderError } from '../model/errors.ts';
import { loadProviderService } from './definitions.ts';
import { type HandlerDeps, mountHandler, versionHandler } from './handlers.ts';
import { bindSocket, type SocketSettings } from './socket.ts';

export interface ServerSettings extends Omit<HandlerDeps, 'stopping'>, Omit<SocketSettings, 'watchMs'> {
  /** Milliseconds between two looks at the socket's path; a second unless told. */
  readonly watchMs?: number;
  /** Milliseconds that mounts under way get to finish at a stop. */
  readonly drainMs: number;
}

/** A server that answers on the socket until it is disposed of, which drains it. */
export interface ProviderServer extends AsyncDisposable {
  /** Whether the driver finds this process at the socket's path. */
  isReachable(): boolean;
}

const WATCH_MS = 1_000;

/** Milliseconds for the answers of mounts that were told to end. */
const LAST_ANSWERS_MS = 2_000;

/**
 * Serves the driver on its socket; returns once the socket is there.
 * @throws Error that says why it cannot be; then nothing listens any more
 */
export async function startServer(settings: ServerSettings): Promise<ProviderServer> {
  const stopping = new AbortController();
  const server = new Server();
  server.addService(loadProviderService().service, {
    version: versionHandler(),
    mount: mountHandler({ ...settings, stopping: stopping.signal }),
  });
  const socket = await bindSocket(server, { watchMs: WATCH_MS, ...settings }).catch((error: unknown) => {
    // A server that still listens somewhere would keep the process from ending.
    server.forceShutdown();
    throw error;
  });
  return {
    isReachable: () => socket.isOurs(),
    async [Symbol.asyncDispose]() {
      // First the path: a socket file that nobody serves blocks the driver's calls for two minutes, a missing one fails at once.
      await socket[Symbol.asyncDispose]();
      await drain(server, stopping, settings);
    },
  };
}

async function drain(
  server: Server,
  stopping: AbortController,
  { drainMs, clock }: Pick<ServerSettings, 'drainMs' | 'clock'>,
): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    server.tryShutdown(() => resolve());
  });
  if (await endsWithin(ended, drainMs, clock)) {
    return;
  }
  // Told to end, mounts answer with a code that is safe; a connection that breaks would be UNAVAILABLE, which is not (see statusOf).
  stopping.abort(new ProviderError('Cancelled', 'the provider is stopping: the kubelet will try again'));
  if (!(await endsWithin(ended, LAST_ANSWERS_MS, clock))) {
    server.forceShutdown();
  }
}
