import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Address {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface HealthEndpoint extends AsyncDisposable {
  /** The port in use, also where 0 was asked for. */
  readonly port: number;
}

/**
 * Any pod can reach the port. A probe is a short request on a connection of its own: nothing else gets memory or time.
 */
const LIMITS = {
  /** Milliseconds that a client has for sending its headers, and its whole request; checked every second. */
  headersTimeout: 2_000,
  requestTimeout: 3_000,
  connectionsCheckingInterval: 1_000,
  keepAliveTimeout: 1_000,
  /** Bytes. */
  maxHeaderSize: 2_048,
} as const;

/** Connections open at once. One more ends the oldest: who holds connections must not keep the kubelet's next one out. */
const MAX_CONNECTIONS = 64;

/** Accepted in one go, before the oldest are seen to be gone; the kernel's own ends more. */
const MAX_ACCEPTED = 4 * MAX_CONNECTIONS;
const MAX_REQUESTS_A_CONNECTION = 100;

/**
 * Serves `/livez` (the process answers) and `/readyz` (it takes mounts), in the manner of the Kubernetes API server.
 * @throws Error when the address cannot be had
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
  /** The oldest first. */
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
