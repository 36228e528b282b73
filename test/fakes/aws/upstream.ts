import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Forwards a request to moto, which determines service and region from the signature's scope. */
export type Upstream = (headers: IncomingHttpHeaders, body: Buffer | string) => Promise<UpstreamAnswer>;

export function upstreamTo(motoUrl: string): Upstream {
  return async ({ host: _host, connection: _connection, ...headers }, body) => {
    const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>();
    request(motoUrl, { method: 'POST', headers: { ...headers, 'content-length': Buffer.byteLength(body) } })
      .on('error', reject)
      .on('response', (response) => {
        const { statusCode = 0, headers: answered } = response;
        buffer(response).then((read) => resolve({ status: statusCode, headers: answered, body: read }), reject);
      })
      .end(body);
    return promise;
  };
}
