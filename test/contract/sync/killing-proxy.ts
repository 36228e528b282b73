import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { writeKubeconfig } from '../../fakes/kube/access-files.ts';
import type { RequestFilter } from '../../fakes/kube/faults.ts';

/** A proxy of the API server that passes everything on, until it has to kill the process. */
export interface KillingProxy extends AsyncDisposable {
  readonly kubeconfig: string;
  /**
   * Kills the process at a request, `before` or `after` that takes effect; in both cases the process gets no response.
   * @param nth of the matching requests, from 1
   * @returns once it has killed
   */
  kill(pid: number, how: Moment, nth: number, isMeant: RequestFilter): Promise<void>;
}

export type Moment = 'before' | 'after';

interface Plan {
  readonly pid: number;
  readonly how: Moment;
  readonly isMeant: RequestFilter;
  left: number;
  readonly done: () => void;
}

export async function startKillingProxy(apiUrl: string): Promise<KillingProxy> {
  let plan: Plan | undefined;

  /** @returns the plan if this is its request */
  function planFor({ method = '', url = '' }: IncomingMessage): Plan | undefined {
    if (plan === undefined || !plan.isMeant(method, new URL(url, apiUrl).pathname)) {
      return undefined;
    }
    plan.left -= 1;
    return plan.left === 0 ? plan : undefined;
  }

  function execute({ pid, done }: Plan, request: IncomingMessage): void {
    plan = undefined;
    process.kill(pid, 'SIGKILL');
    request.socket.destroy();
    done();
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const planned = planFor(request);
    const body = await buffer(request);
    if (planned?.how === 'before') {
      execute(planned, request);
      return;
    }
    const { authorization = '', 'content-type': type = 'application/json' } = request.headers;
    const answer = await fetch(`${apiUrl}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { authorization, 'content-type': type },
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    const text = await answer.text();
    if (planned === undefined) {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
    } else {
      execute(planned, request);
    }
  }

  const folder = await mkdtemp(join(tmpdir(), 'killing-proxy-'));
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    kubeconfig: await writeKubeconfig(folder, `http://127.0.0.1:${port}`, 'token-of-the-provider'),
    async kill(pid, how, nth, isMeant) {
      const { promise, resolve } = Promise.withResolvers<void>();
      plan = { pid, how, isMeant, left: nth, done: resolve };
      await promise;
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
