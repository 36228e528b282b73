import { request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface AgentAnswer {
  readonly status: number;
  readonly body: string;
}

/** Credentials take about 2 KiB; nothing on the node may make us hold more than this. */
const MAX_BODY = 64 * 1024;

/**
 * One GET to the Pod Identity agent. By hand, because the SDK's `fromHttp` takes no signal and retries refusals.
 * Never through a proxy: the agent is on this node.
 * @throws Error of the network, or an AbortError
 */
export async function getFromAgent(base: string, token: string, signal: AbortSignal): Promise<AgentAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<AgentAnswer>();
  const url = new URL('/v1/credentials', base);
  // The token alone, without a scheme: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
  request(url, { agent: false, headers: { Authorization: token }, signal })
    .on('error', reject)
    .on('response', (response) => {
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.byteLength;
        if (size > MAX_BODY) {
          response.destroy(new Error('the answer is too large'));
        }
      });
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
    .end();
  return promise;
}
