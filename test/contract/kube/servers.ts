import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kube, openKube } from '../../../src/kube/client.ts';
import { ensureCertificates } from '../../bench/certificates.ts';
import { isKubeApiServerBuilt, startKubeApiServer } from '../../bench/kube-api-server.ts';
import { startKube } from './kube-fixture.ts';

/** An API server with the namespace `shop`, and the service account `web` in it. */
export interface Server extends AsyncDisposable {
  readonly kube: Kube;
}

/** The stand-in, and the real API server if it is built. */
export const SERVERS: readonly (readonly [string, () => Promise<Server>])[] = [
  ['the stand-in', startStandIn],
  ...(isKubeApiServerBuilt() ? [['kube-apiserver', startReal] as const] : []),
];

function startStandIn(): Promise<Server> {
  return startKube({ objects: [{ kind: 'ServiceAccount', metadata: { namespace: 'shop', name: 'web' } }] });
}

async function startReal(): Promise<Server> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'kube-apiserver-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const { caFile } = await ensureCertificates(folder);
  const ca = await readFile(caFile, 'utf8');
  const api = opening.use(await startKubeApiServer('token', caFile, join(folder, 'log')));
  await api.createAccounts([{ namespace: 'shop', name: 'web' }]);
  const server = new URL(`https://127.0.0.1:${api.port}`);
  const options = { ca, headers: { authorization: 'Bearer token' } };
  const kube = opening.use(openKube({ timeoutMs: 10_000 }, async () => ({ server, options })));
  const opened = opening.move();
  return { kube, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
