import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { stringify } from 'yaml';

/** An object of the core API group, as JSON. */
export interface CoreObject {
  readonly kind: 'ServiceAccount' | 'Pod' | 'Node';
  readonly metadata: {
    /** Absent for nodes. */
    readonly namespace?: string;
    readonly name: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** What goes wrong with every request, until it is set back to undefined. */
export type Fault =
  | { readonly kind: 'status'; readonly status: number; readonly message: string }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hang' }
  | { readonly kind: 'reset' };

export interface ApiServerOptions {
  readonly objects?: readonly CoreObject[];
  /** TLS with a certificate made by openssl; without it plain HTTP. */
  readonly tls?: boolean;
}

/** A stand-in for the API server: it gives out objects by name, knows one bearer token, and counts. */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  /** Path of a kubeconfig for it. */
  readonly kubeconfig: string;
  /** Directory with `token` and `ca.crt`, as the kubelet mounts it. */
  readonly serviceAccountDir: string;
  /** By path below /api/v1, such as `namespaces/shop/serviceaccounts/web`. */
  readonly objects: Map<string, CoreObject>;
  /** Method and path of each request, in order. */
  readonly requests: string[];
  /** Connections accepted so far. */
  readonly connections: number;
  fault: Fault | undefined;
  put(object: CoreObject): void;
  /** From now on only this token is known; the file in `serviceAccountDir` has it, the kubeconfig keeps the old one. */
  renewToken(token: string): Promise<void>;
  /** Drops the connections that are kept idle, as a load balancer does. */
  dropConnections(): void;
}

const PLURALS = { ServiceAccount: 'serviceaccounts', Pod: 'pods', Node: 'nodes' } as const;

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const directory = await mkdtemp(join(tmpdir(), 'api-server-'));
  const certificate = options.tls ? await makeCertificate(directory) : undefined;
  const objects = new Map<string, CoreObject>();
  const requests: string[] = [];
  let token = 'token-of-the-provider';
  let connections = 0;
  let fault: Fault | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(`${request.method} ${request.url}`);
    switch (fault?.kind) {
      case 'status':
        return sendStatus(response, fault.status, fault.message);
      case 'html':
        response.writeHead(fault.status, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
        return undefined;
      case 'hang':
        return undefined;
      case 'reset':
        request.socket.destroy();
        return undefined;
      case 'delay':
        await sleep(fault.ms);
        break;
      case undefined:
        break;
    }
    if (request.headers.authorization !== `Bearer ${token}`) {
      return sendStatus(response, 401, 'Unauthorized');
    }
    const object = objects.get(request.url?.replace('/api/v1/', '') ?? '');
    if (request.method !== 'GET' || object === undefined) {
      const [name, resource] = request.url?.split('/').toReversed() ?? [];
      return sendStatus(response, 404, `${resource} "${name}" not found`);
    }
    return sendJson(response, 200, { apiVersion: 'v1', ...object });
  }

  function put(object: CoreObject): void {
    const { namespace, name } = object.metadata;
    objects.set(`${namespace === undefined ? '' : `namespaces/${namespace}/`}${PLURALS[object.kind]}/${name}`, object);
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    void answer(request, response);
  }
  const server = certificate === undefined ? createHttpServer(handle) : createHttpsServer(certificate, handle);
  // TLS sockets are counted once they are secure, so that a failed handshake is no connection.
  server.on(certificate === undefined ? 'connection' : 'secureConnection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;

  options.objects?.forEach(put);
  const kubeconfig = join(directory, 'kubeconfig');
  await writeFile(kubeconfig, stringify(kubeconfigFor(url, token, certificate?.cert)), { mode: 0o600 });
  await writeFile(join(directory, 'token'), token, { mode: 0o600 });

  return {
    url,
    kubeconfig,
    serviceAccountDir: directory,
    objects,
    requests,
    get connections() {
      return connections;
    },
    get fault() {
      return fault;
    },
    set fault(next) {
      fault = next;
    },
    put,
    async renewToken(next) {
      token = next;
      await writeFile(join(directory, 'token'), next, { mode: 0o600 });
    },
    dropConnections: () => server.closeIdleConnections(),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function sendStatus(response: ServerResponse, code: number, message: string): void {
  sendJson(response, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function kubeconfigFor(server: string, token: string, ca: string | undefined): unknown {
  const trust =
    ca === undefined
      ? { 'insecure-skip-tls-verify': true }
      : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'stand-in', cluster: { server, ...trust } }],
    users: [{ name: 'provider', user: { token } }],
    contexts: [{ name: 'stand-in', context: { cluster: 'stand-in', user: 'provider' } }],
    'current-context': 'stand-in',
  };
}

async function makeCertificate(directory: string): Promise<{ readonly key: string; readonly cert: string }> {
  const [keyFile, certFile] = [join(directory, 'tls.key'), join(directory, 'ca.crt')];
  const subject = ['-subj', '/CN=stand-in API server', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  await promisify(execFile)('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, '-out', certFile]);
  return { key: await readFile(keyFile, 'utf8'), cert: await readFile(certFile, 'utf8') };
}
