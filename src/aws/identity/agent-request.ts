import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

export interface AgentAnswer {
  readonly status: number;
  readonly body: string;
}

/** Credentials have about 2 KiB; the bound keeps another process on the node from filling our memory. */
const MAX_CHARACTERS = 64 * 1024;

/**
 * One GET to the Pod Identity agent. The SDK's `fromHttp` does not fit: `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` in the provider's own environment
 * would take precedence over the pod's token, so pods would get the provider's credentials. It also drops the text of a refusal.
 * Never uses a proxy: the agent is on this node.
 * @throws Error of the network, or an AbortError
 */
export async function getFromAgent(base: string, token: string, signal: AbortSignal): Promise<AgentAnswer> {
  // The header is the bare token, without a scheme: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
  const headers = { Authorization: token };
  const sent = request(new URL('/v1/credentials', base), { agent: false, headers, signal }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await readBody(response) };
}

async function readBody(response: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of response.setEncoding('utf8')) {
    body += chunk;
    if (body.length > MAX_CHARACTERS) {
      throw new Error('the answer is too large');
    }
  }
  return body;
}
