import type { FetchOutcome, MountDeps } from '../mount/mount.ts';
import type { MountSpec } from '../spec/mount-spec.ts';
import { createClients } from './clients.ts';
import { authenticate, type CredentialDeps } from './credentials.ts';
import { fetchWithFailover } from './failover.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import { fetchParameters } from './parameter-store.ts';
import { fetchSecrets } from './secrets-manager.ts';
import type { Regional } from './store.ts';
import { openTransport } from './transport.ts';

export type FetcherDeps = Pick<CredentialDeps, 'settings' | 'roleOf'>;

/** Both stores, asked as the pods. Disposing of it closes its connections. */
export interface Fetcher extends Pick<MountDeps, 'fetchAll'>, Disposable {}

export function createFetcher({ settings, roleOf }: FetcherDeps): Fetcher {
  const transport = openTransport(settings);
  const clients = createClients(settings, transport);
  // Calls at once to a region. Parameter Store gives an account 40 a second by default; the others give thousands.
  const limiters = { sts: createLimiter(16), secretsManager: createLimiter(32), ssm: createLimiter(8) };
  const deps: CredentialDeps = {
    settings,
    roleOf,
    sts: (region) => regional(clients, region, limiters.sts),
  };

  async function fetchAll(spec: MountSpec, signal: AbortSignal): Promise<readonly FetchOutcome[]> {
    if (spec.objects.length === 0) {
      return [];
    }
    const { identity, credentialsIn } = await authenticate(spec, deps, signal);
    return fetchWithFailover(spec, async (region, requests) => {
      const credentials = await credentialsIn(region);
      const secretsManager = regional(clients.secretsManager(region, credentials), region, limiters.secretsManager);
      const ssm = regional(clients.ssm(region, credentials), region, limiters.ssm);
      const { secretsmanager = [], ssmparameter = [] } = Object.groupBy(requests, ({ object }) => object.store);
      const outcomes = await Promise.all([
        fetchSecrets(secretsmanager, { ...secretsManager, identity }, signal),
        fetchParameters(ssmparameter, { ...ssm, identity }, signal),
      ]);
      return new Map(outcomes.flatMap((some) => [...some]));
    });
  }

  return { fetchAll, [Symbol.dispose]: () => transport[Symbol.dispose]() };
}

function regional<Client>(client: Client, region: string, limiter: Limiter): Regional<Client> {
  return { client, region, limit: (call, signal) => limiter.run(region, call, signal) };
}
