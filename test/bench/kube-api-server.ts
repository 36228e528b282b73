import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { roleArn, type ServiceAccount } from './accounts.ts';

/** etcd and kube-apiserver, each a process of its own on loopback. */
export interface KubeApiServer extends AsyncDisposable {
  readonly port: number;
  /** Makes service accounts, each with its role. */
  createAccounts(accounts: readonly ServiceAccount[]): Promise<void>;
}

/** Where `npm run e2e` puts what it builds. */
export const CLUSTER_PROGRAMS = fileURLToPath(new URL('../../.cache/e2e/bin', import.meta.url));
const START_TIMEOUT_MS = 60_000;

/** Whether there is one to start. */
export function isKubeApiServerBuilt(): boolean {
  return ['etcd', 'kube-apiserver'].every((name) => existsSync(join(CLUSTER_PROGRAMS, name)));
}

/**
 * @param token that it takes for an administrator's
 * @param caFile beside it are `server.crt` and `server.key`, for loopback
 */
export async function startKubeApiServer(token: string, caFile: string, log: string): Promise<KubeApiServer> {
  await using opening = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'bench-kube-'));
  opening.defer(() => rmSync(folder, { recursive: true, force: true }));
  const [etcd, peer, port] = [await freePort(), await freePort(), await freePort()];
  const [cert, key] = ['server.crt', 'server.key'].map((name) => join(dirname(caFile), name));
  const accountKey = join(folder, 'service-account.key');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(accountKey, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  const tokens = join(folder, 'tokens.csv');
  writeFileSync(tokens, `${token},bench,bench,system:masters\n`, { mode: 0o600 });
  opening.use(
    startProgram(log, 'etcd', [
      `--data-dir=${join(folder, 'etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${etcd}`,
      `--advertise-client-urls=http://127.0.0.1:${etcd}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]),
  );
  opening.use(
    startProgram(log, 'kube-apiserver', [
      `--etcd-servers=http://127.0.0.1:${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      `--tls-cert-file=${cert}`,
      `--tls-private-key-file=${key}`,
      `--cert-dir=${folder}`,
      `--token-auth-file=${tokens}`,
      '--authorization-mode=RBAC',
      '--endpoint-reconciler-type=none',
      '--service-cluster-ip-range=10.91.0.0/24',
      '--service-account-issuer=https://bench',
      `--service-account-key-file=${accountKey}`,
      `--service-account-signing-key-file=${accountKey}`,
    ]),
  );

  async function call(method: string, path: string, body?: object): Promise<number> {
    const calling = request({
      host: '127.0.0.1',
      port,
      method,
      path,
      ca: readFileSync(caFile),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(10_000),
    });
    calling.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = await once(calling, 'response');
    response.resume();
    return response.statusCode;
  }

  async function create(path: string, object: object): Promise<void> {
    const status = await call('POST', path, object);
    if (status !== 201 && status !== 409) {
      throw new Error(`kube-apiserver answered ${status} to POST ${path}`);
    }
  }

  const givenUp = performance.now() + START_TIMEOUT_MS;
  while ((await call('GET', '/readyz').catch(() => 0)) !== 200) {
    if (performance.now() > givenUp) {
      throw new Error(`kube-apiserver is not ready: see ${log}`);
    }
    await sleep(200);
  }
  const opened = opening.move();
  return {
    port,
    async createAccounts(accounts) {
      for (const namespace of new Set(accounts.map((account) => account.namespace))) {
        await create('/api/v1/namespaces', { metadata: { name: namespace } });
      }
      for (const { namespace, name } of accounts) {
        const annotations = { 'eks.amazonaws.com/role-arn': roleArn({ namespace, name }) };
        await create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name, annotations } });
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function startProgram(log: string, name: string, args: readonly string[]): AsyncDisposable {
  const file = openSync(log, 'a');
  const child = spawn(join(CLUSTER_PROGRAMS, name), args, { stdio: ['ignore', file, file] });
  closeSync(file);
  const exited = once(child, 'exit');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
