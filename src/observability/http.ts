import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Address {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}

export interface HealthEndpoint extends AsyncDisposable {
  /** The port in use, even if 0 was requested. */
  readonly port: number;
}

/**
 * Any pod can reach the port, so only short requests like those of probes get memory and time.
 */
const LIMITS = {
  /** Milliseconds for a client to send its headers, and its whole request; checked every second. */
  headersTimeout: 2_000,
  requestTimeout: 3_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 1_000,
  /** Bytes. */
  maxHeaderSize: 2_048,
} as const;

/** Maximum number of connections. Another one closes the oldest, so that a client that holds connections cannot lock out the kubelet. */
const MAX_CONNECTIONS = 64;

/** Connections that may be accepted at once, before the oldest are closed; the kernel drops more. */
const MAX_ACCEPTED = 4 * MAX_CONNECTIONS;
const MAX_REQUESTS_A_CONNECTION = 100;

/**
 * Serves `/livez` (the process answers) and `/readyz` (it takes mounts), in the manner of the Kubernetes API server.
 * @throws Error if the address is not available
 */
export async function serveHealth(address: Address, isReady: () => boolean): Promise<HealthEndpoint> {
  const server = createServer(LIMITS, (request, response) => {
    const [code, text] = answer(request.url, isReady);
    response.writeHead(code, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(`${text}\n`);
  });
  boundConnections(server);
  server.listen(address.port, address.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(`cannot serve health checks on ${address.host}:${address.port}: choose another --health-address`, {
      cause: error,
    });
  }
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

function boundConnections(server: Server): void {
  /** Oldest first. */
  const open = new Set<Socket>();
  server.maxConnections = MAX_ACCEPTED;
  server.maxRequestsPerSocket = MAX_REQUESTS_A_CONNECTION;
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const [oldest] = open;
    if (open.size > MAX_CONNECTIONS) {
      oldest?.destroy();
      open.delete(oldest ?? socket);
    }
  });
}

function answer(path: string | undefined, isReady: () => boolean): readonly [number, string] {
  switch (path?.split('?')[0] ?? '') {
    case '/livez':
      return [200, 'ok'];
    case '/readyz':
      return isReady() ? [200, 'ok'] : [503, 'not ready'];
    default:
      return [404, 'there are /livez and /readyz'];
  }
}
