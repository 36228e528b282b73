import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { writeKubeconfig } from '../../fakes/kube/access-files.ts';
import type { ApiServer } from '../../fakes/kube/api-server.ts';

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** A proxy of the API server that records requests. */
export interface Recorder extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly requests: readonly Recorded[];
}

export async function startRecorder(api: Pick<ApiServer, 'url'>): Promise<Recorder> {
  const directory = await mkdtemp(join(tmpdir(), 'recorder-'));
  const requests: Recorded[] = [];

  async function pass(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming;
    const body = await buffer(incoming);
    requests.push({ method, path, body: body.toString() });
    const onward = request(new URL(path, api.url), { method, headers }).end(body);
    const [answer] = (await once(onward, 'response')) as [IncomingMessage];
    response.writeHead(answer.statusCode ?? 0, answer.headers);
    answer.pipe(response);
  }

  const server = createServer((incoming, response) => {
    pass(incoming, response).catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    kubeconfig: await writeKubeconfig(directory, url, 'token-of-the-provider'),
    requests,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true });
    },
  };
}
