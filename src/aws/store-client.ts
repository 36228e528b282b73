import type { Clock } from '../concurrency/clock.ts';
import { createLimiter, type Limiter } from '../concurrency/limiter.ts';
import { ProviderError } from '../model/errors.ts';
import type { FetchedObject, FetchedObjects } from '../model/fetched-object.ts';
import { partyOf, type Store } from '../model/mount-spec.ts';
import type { Purpose } from '../mount/serve.ts';
import type { StoreClient } from './cache/shared-fetches.ts';
import type { Clients, Credentials } from './client/clients.ts';
import type { Authenticated } from './identity/credentials.ts';
import { type Limit, limitIn, type StoreCall, type StoreRequest } from './model/store.ts';
import { createDeniedActions } from './stores/denied-actions.ts';
import { fetchParameters } from './stores/parameter-store.ts';
import { fetchSecrets } from './stores/secrets-manager.ts';

/** Creates clients for both stores of a region that use the credentials of a pod. */
export function createStoreClients(
  clients: Clients,
  clock: Clock,
): (pod: Authenticated, region: string, purpose: Purpose) => StoreClient {
  const deniedActionsOf = createDeniedActions(clock);
  // Concurrent calls per region. Parameter Store allows an account 40 calls per second by default, Secrets Manager thousands.
  const limiters = { secretsmanager: createLimiter(32), ssmparameter: createLimiter(8) };
  // Concurrent calls to all regions together, because a class may name any region. Less than the size of the connection pool.
  const total = createLimiter(64);

  return ({ identity, key, credentialsIn, drop }, region, purpose) => {
    const deniedActions = deniedActionsOf(key);
    const party = partyOf(identity.kind === 'irsa' ? identity : identity.pod);

    function limitFor(limiter: Limiter): Limit {
      const [inRegion, inTotal] = [limitIn(limiter, region, party), limitIn(total, '', party)];
      return (call, signal) => inRegion(() => inTotal(call, signal), signal);
    }

    function fetchAs(
      held: Credentials,
      store: Store,
      requests: readonly StoreRequest[],
      call: StoreCall,
    ): Promise<FetchedObjects> {
      const access = { ...call, region, identity, limit: limitFor(limiters[store]) };
      return store === 'secretsmanager'
        ? fetchSecrets(requests, { ...access, deniedActions, client: clients.secretsManager(region, held) })
        : fetchParameters(requests, { ...access, client: clients.ssm(region, held) });
    }

    return {
      key: `${key} ${region}`,
      retriesThrottled: purpose === 'mount',
      async fetch(store, requests, call) {
        const held = await credentialsIn(region, call.signal);
        const fetched = await fetchAs(held, store, requests, call);
        const refused = requests.filter(({ object }) => isRefusal(fetched.get(object)));
        if (refused.length === 0) {
          return fetched;
        }
        // Credentials can become invalid before they expire, for example when an administrator revokes sessions.
        drop(region, held);
        const again = await fetchAs(await credentialsIn(region, call.signal), store, refused, call);
        return new Map([...fetched, ...again]);
      },
    };
  };
}

function isRefusal(fetched: FetchedObject | ProviderError | undefined): boolean {
  return fetched instanceof ProviderError && fetched.reason === 'CredentialsRefused';
}
