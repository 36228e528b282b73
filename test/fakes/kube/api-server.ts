import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Clock, SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { makeCertificate, writeKubeconfig } from './access-files.ts';
import { answer, removeObject } from './answer.ts';
import { Failure } from './failure.ts';
import { createFaults, type Fault, type RequestFilter } from './faults.ts';
import { type KubeObject, readPath, type Target, targetOf } from './kube-object.ts';
import { createStorage } from './storage.ts';
import type { TokenRequest } from './token-requests.ts';

export interface ApiServerOptions {
  readonly objects?: readonly KubeObject[];
  /** TLS with a certificate made by openssl; without it plain HTTP. */
  readonly tls?: boolean;
  /** Whether objects without remaining owners are deleted at once. */
  readonly collectsGarbage?: boolean;
  /** By which its delays pass. */
  readonly clock?: Clock;
}

/**
 * A stand-in for the API server: it stores objects of any kind with versions, owners of fields and preconditions as kube-apiserver does, mints tokens,
 * knows one bearer token, and counts requests. Namespaces need not be created, and the only schema it knows is that of Secrets.
 */
export interface ApiServer extends AsyncDisposable {
  readonly url: string;
  /** Path of a kubeconfig for it. */
  readonly kubeconfig: string;
  /** Directory with `token` and `ca.crt`, as the kubelet mounts it. */
  readonly serviceAccountDir: string;
  /** All stored objects. */
  readonly objects: readonly KubeObject[];
  /** Method, path and query of each request, in order. */
  readonly requests: string[];
  /** The requests in progress, each with its method and path. */
  readonly underWay: ReadonlySet<{ readonly method: string; readonly path: string }>;
  /** Whether any of them will get a response that does not wait for a clock. */
  readonly isBusy: boolean;
  readonly tokenRequests: readonly TokenRequest[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Of every request, until it is set back to undefined. */
  fault: Fault | undefined;
  /** Of some requests, until it is disposed of. */
  inject(fault: Fault, when: RequestFilter): Disposable;
  /** Creates or replaces an object, like a user with kubectl. */
  put(object: KubeObject): KubeObject;
  /** By path, such as `/api/v1/namespaces/shop/secrets/db`. */
  find(path: string): KubeObject | undefined;
  /** Like a user with kubectl; an object that no longer exists is not an error. */
  remove(path: string): void;
  /** From now on only this token is accepted; the file in `serviceAccountDir` has it, the kubeconfig keeps the old one. */
  renewToken(token: string): Promise<void>;
  /** Closes idle connections, like a load balancer. */
  dropConnections(): void;
}

const KUBECTL = 'kubectl';

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const directory = await mkdtemp(join(tmpdir(), 'api-server-'));
  const certificate = options.tls ? await makeCertificate(directory) : undefined;
  const tokenRequests: TokenRequest[] = [];
  const cluster = { storage: createStorage(), tokenRequests, collectsGarbage: options.collectsGarbage ?? false };
  const faults = createFaults();
  const requests: string[] = [];
  const underWay = new Set<{ readonly method: string; readonly path: string }>();
  let token = 'token-of-the-provider';
  const heldUp = new Set<object>();
  let connections = 0;

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '' } = request;
    const url = new URL(request.url ?? '', 'http://api');
    requests.push(`${method} ${request.url}`);
    const entry = { method, path: url.pathname };
    underWay.add(entry);
    response.once('close', () => {
      underWay.delete(entry);
      heldUp.delete(entry);
    });
    const fault = faults.of(method, url.pathname);
    switch (fault?.kind) {
      case 'status':
        return sendStatus(response, new Failure(fault.status, fault.reason ?? '', fault.message, fault.details));
      case 'html':
        response.writeHead(fault.status, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>');
        return undefined;
      case 'text':
        response.writeHead(fault.status).end(fault.text);
        return undefined;
      case 'hang':
        heldUp.add(entry);
        return undefined;
      case 'reset':
        request.socket.destroy();
        return undefined;
      case 'delay':
        heldUp.add(entry);
        await (options.clock ?? SYSTEM_CLOCK).sleep(fault.ms);
        heldUp.delete(entry);
        break;
      case 'lost-answer':
      case 'half-answer':
      case undefined:
        break;
    }
    if (request.headers.authorization !== `Bearer ${token}`) {
      return sendStatus(response, new Failure(401, 'Unauthorized', 'Unauthorized'));
    }
    const contentType = request.headers['content-type'] ?? '';
    const body = await text(request);
    try {
      const { status, body: object } = answer(cluster, { method, url, contentType, body });
      if (fault?.kind === 'lost-answer') {
        request.socket.destroy();
      } else if (fault?.kind === 'half-answer') {
        const sent = JSON.stringify(object);
        response.writeHead(status, { 'content-length': Buffer.byteLength(sent) });
        response.write(sent.slice(0, sent.length / 2), () => request.socket.resetAndDestroy());
      } else {
        sendJson(response, status, object);
      }
    } catch (error) {
      sendStatus(response, error instanceof Failure ? error : new Failure(500, 'InternalError', String(error)));
    }
    return undefined;
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    // A client that has disconnected meanwhile gets no response.
    respond(request, response).catch(() => response.destroy());
  }
  const server = certificate === undefined ? createHttpServer(handle) : createHttpsServer(certificate, handle);
  // TLS sockets are counted once they are secure, so that a failed handshake does not count.
  server.on(certificate === undefined ? 'connection' : 'secureConnection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;

  options.objects?.forEach((object) => cluster.storage.put(object, KUBECTL));
  const kubeconfig = await writeKubeconfig(directory, url, token, certificate?.cert);
  await writeFile(join(directory, 'token'), token, { mode: 0o600 });

  function find(path: string): KubeObject | undefined {
    const { name, ...target } = readPath(path) ?? {};
    try {
      return name === undefined ? undefined : cluster.storage.get({ ...(target as Target), name });
    } catch {
      return undefined;
    }
  }

  return {
    url,
    kubeconfig,
    serviceAccountDir: directory,
    get objects() {
      return cluster.storage.all();
    },
    requests,
    underWay,
    get isBusy() {
      return underWay.size > heldUp.size;
    },
    tokenRequests,
    get connections() {
      return connections;
    },
    get fault() {
      return faults.everywhere;
    },
    set fault(next) {
      faults.everywhere = next;
    },
    inject: faults.inject,
    put: (object) => cluster.storage.put(object, KUBECTL),
    find,
    remove(path) {
      const object = find(path);
      if (object !== undefined) {
        removeObject(cluster, targetOf(object));
      }
    },
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

function sendStatus(response: ServerResponse, { status: code, reason, message, details }: Failure): void {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code };
  sendJson(response, code, body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
