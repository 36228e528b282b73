import { Server } from '@grpc/grpc-js';
import { endsWithin } from '../concurrency/cancellation.ts';
import { ProviderError } from '../model/errors.ts';
import { loadProviderService } from './definitions.ts';
import { type HandlerDeps, mountHandler, versionHandler } from './handlers.ts';
import { bindSocket, type SocketSettings } from './socket.ts';

export interface ServerSettings extends Omit<HandlerDeps, 'stopping'>, Omit<SocketSettings, 'watchMs'> {
  /** Milliseconds between two checks of the socket's path; default: one second. */
  readonly watchMs?: number;
  /** Milliseconds for mounts in progress to finish at a stop. */
  readonly drainMs: number;
}

/** A server on the socket. Disposing drains it. */
export interface ProviderServer extends AsyncDisposable {
  /** Whether the socket's path leads to this process. */
  isReachable(): boolean;
}

const WATCH_MS = 1_000;

/** Milliseconds for cancelled mounts to send their responses. */
const LAST_ANSWERS_MS = 2_000;

/**
 * Serves the driver on its socket. Returns when the socket exists.
 * @throws Error with the cause; nothing listens any more then
 */
export async function startServer(settings: ServerSettings): Promise<ProviderServer> {
  const stopping = new AbortController();
  const server = new Server();
  server.addService(loadProviderService().service, {
    version: versionHandler(),
    mount: mountHandler({ ...settings, stopping: stopping.signal }),
  });
  const socket = await bindSocket(server, { watchMs: WATCH_MS, ...settings }).catch((error: unknown) => {
    // A server that still listens would keep the process alive.
    server.forceShutdown();
    throw error;
  });
  return {
    isReachable: () => socket.isOurs(),
    async [Symbol.asyncDispose]() {
      // Remove the path first: an unserved socket file blocks the driver's calls for two minutes, while a missing one fails at once.
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
  // Cancelled mounts return a safe status code. A broken connection would be UNAVAILABLE, which is not safe (see statusOf).
  stopping.abort(new ProviderError('Cancelled', 'the provider is stopping: the kubelet will try again'));
  if (!(await endsWithin(ended, LAST_ANSWERS_MS, clock))) {
    server.forceShutdown();
  }
}
