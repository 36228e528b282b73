import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../config/values.ts';

export interface HealthEndpoint extends AsyncDisposable {
  /** The port in use, also where 0 was asked for. */
  readonly port: number;
}

/** Milliseconds a client has for sending its request. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Serves `/livez` (the process answers) and `/readyz` (it takes mounts), in the manner of the Kubernetes API server.
 * @throws Error when the address cannot be had
 */
export async function serveHealth(address: Address, isReady: () => boolean): Promise<HealthEndpoint> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const [code, text] = answer(request.url, isReady);
    response.writeHead(code, { 'content-type': 'text/plain', 'cache-control': 'no-store' }).end(`${text}\n`);
  });
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
