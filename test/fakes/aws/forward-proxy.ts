import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';

/** A corporate proxy: CONNECT for TLS, absolute URLs for plain HTTP. It connects every host to one address. */
export interface ForwardProxy extends AsyncDisposable {
  readonly url: string;
  /** `host:port` of every tunnel and request. */
  readonly hosts: readonly string[];
}

/** @param target URL of the server that stands for the internet */
export async function startForwardProxy(target: string): Promise<ForwardProxy> {
  const { hostname, port } = new URL(target);
  const hosts: string[] = [];
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '');
    hosts.push(url.host);
    const onward = request({ hostname, port, method: incoming.method, path: url.pathname, headers: incoming.headers });
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', ({ url = '' }, socket) => {
    hosts.push(url);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    socket.on('close', () => onward.destroy());
    tunnels.add(socket);
  });
  const tunnels = new Set<{ destroy(): void }>();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    hosts,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      for (const tunnel of tunnels) {
        tunnel.destroy();
      }
      await once(server, 'close');
    },
  };
}
