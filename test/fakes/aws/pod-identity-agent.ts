import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GateState } from './gate-state.ts';
import { accountOf } from './policy.ts';
import { accountKeys } from './seed.ts';
import { readToken, subjectOf } from './web-token.ts';

/** The EKS Pod Identity agent, at one loopback address. */
export interface PodIdentityAgent extends AsyncDisposable {
  readonly url: string;
  /** Requests so far. */
  count(): number;
  /** Treats the next requests like this; `times` of them, or all. */
  behave(behaviour: AgentBehaviour, times?: number): void;
}

type AgentBehaviour =
  | { readonly kind: 'error'; readonly status: number; readonly body: string }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number };

export interface AgentOptions {
  readonly motoUrl: string;
  /** Learns of the sessions that the agent opens. */
  readonly gate: GateState;
  /** Role by `namespace/service-account`. */
  readonly associations: ReadonlyMap<string, string>;
  readonly host: '127.0.0.1' | '::1';
}

export async function startPodIdentityAgent({ host, ...options }: AgentOptions): Promise<PodIdentityAgent> {
  let count = 0;
  let behaviour: AgentBehaviour | undefined;
  let left = 0;
  async function handle({ headers, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    count += 1;
    left -= 1;
    const now = left >= 0 ? behaviour : undefined;
    if (now?.kind === 'hang') {
      return;
    }
    if (now?.kind === 'error') {
      response.writeHead(now.status).end(now.body);
      return;
    }
    await sleep(now?.ms ?? 0);
    await answer(url === '/v1/credentials' ? headers.authorization : undefined, response, options);
  }
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host === '::1' ? '[::1]' : host}:${port}`,
    count: () => count,
    behave(next, times = Infinity) {
      behaviour = next;
      left = times;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The token has no scheme; refusals have AWS's words, as the agent passes them on. */
async function answer(
  token: string | undefined,
  response: ServerResponse,
  { motoUrl, gate, associations }: Omit<AgentOptions, 'host'>,
): Promise<void> {
  const claims = readToken(token ?? '');
  if (!claims?.aud.includes('pods.eks.amazonaws.com')) {
    response
      .writeHead(400)
      .end('[test]: (InvalidTokenException): The token included in the request is invalid, fault: client\n');
    return;
  }
  const role = gate.roles.get(associations.get(subjectOf(claims)) ?? '');
  if (role === undefined) {
    response
      .writeHead(404)
      .end('[test]: (ResourceNotFoundException): No association found for the service account, fault: client\n');
    return;
  }
  const name = `eks-test-${subjectOf(claims).replace('/', '-')}`;
  const keys = await accountKeys(motoUrl, role.arn, name);
  gate.sessions.set(keys.accessKeyId, { role, name });
  response.writeHead(200, { 'content-type': 'application/json' }).end(
    JSON.stringify({
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      Token: keys.sessionToken,
      AccountId: accountOf(role.arn),
      Expiration: keys.expiration.toISOString(),
    }),
  );
}
