import { once } from 'node:events';
import net from 'node:net';
import { pipeline } from 'node:stream';

/** Where to listen or connect: a TCP port, by default of 127.0.0.1, or a unix socket. */
export type Place = { readonly port: number; readonly host?: string } | { readonly path: string };

export interface Relay extends Disposable {
  /** The TCP port it listens on; 0 for a unix socket. */
  readonly port: number;
}

/** Hands every connection to `from` on to `to`. When it is disposed of, it takes no more; those it has go on. */
export async function relay(from: Place, to: Place): Promise<Relay> {
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
  return {
    port: address === null || typeof address === 'string' ? 0 : address.port,
    [Symbol.dispose]: () => void server.close(),
  };
}

function at(place: Place): { host: string; port: number } | { path: string } {
  return 'port' in place ? { host: '127.0.0.1', ...place } : place;
}
