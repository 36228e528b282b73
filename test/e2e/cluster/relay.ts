import { once } from 'node:events';
import net from 'node:net';
import { pipeline } from 'node:stream';

/** Where to listen or connect: a TCP port of 127.0.0.1, or a unix socket. */
export type Place = { readonly port: number } | { readonly path: string };

/** Hands every connection to `from` on to `to`. Returns the TCP port it listens on, 0 for a unix socket. */
export async function relay(from: Place, to: Place): Promise<number> {
  const server = net.createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = net.connect({ ...at(to), allowHalfOpen: true });
    // An error ends both directions; what it was, the client finds out by its broken connection.
    pipeline(incoming, outgoing, () => incoming.destroy());
    pipeline(outgoing, incoming, () => outgoing.destroy());
  });
  server.listen(at(from));
  await once(server, 'listening');
  server.unref();
  const address = server.address();
  return address === null || typeof address === 'string' ? 0 : address.port;
}

function at(place: Place): { host: string; port: number } | { path: string } {
  return 'port' in place ? { host: '127.0.0.1', port: place.port } : place;
}
