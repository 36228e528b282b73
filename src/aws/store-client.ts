import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';
import type { Party } from '../concurrency/fair-queue.ts';
import { createLimiter, type Limiter } from '../concurrency/limiter.ts';
import { partyOf, type Store } from '../model/mount-spec.ts';
import type { Clients, Credentials } from './client/clients.ts';
import type { Authenticated } from './identity/credentials.ts';
import type { StoreClient } from './cache/cached-store.ts';
import { createDeniedActions } from './stores/denied-actions.ts';
import { fetchParameters } from './stores/parameter-store.ts';
import { fetchSecrets } from './stores/secrets-manager.ts';
import type { Answer, Answers, Limit, StoreRequest } from './model/store.ts';

/** Creates clients for both stores of a region that use the credentials of a pod. */
export function createStoreClients(
  clients: Clients,
  clock: Clock,
): (pod: Authenticated, region: string) => StoreClient {
  const deniedActionsOf = createDeniedActions(clock);
  // Concurrent calls per region. Parameter Store allows an account 40 calls per second by default, Secrets Manager thousands.
  const limiters = { secretsManager: createLimiter(32), ssm: createLimiter(8) };
  // Concurrent calls to all regions together, because a class may name any region. Less than the size of the connection pool.
  const total = createLimiter(64);

  function limitFor(limiter: Limiter, region: string, party: Party): Limit {
    return (call, signal) =>
      limiter.run({ lane: region, party }, () => total.run({ lane: '', party }, call, signal), signal);
  }

  return ({ identity, key, credentialsIn, drop }, region) => {
    const deniedActions = deniedActionsOf(key);
    const party = partyOf(identity.kind === 'irsa' ? identity : identity.pod);
    function secretsManager(held: Credentials) {
      const limit = limitFor(limiters.secretsManager, region, party);
      return { client: clients.secretsManager(region, held), region, limit, identity, deniedActions };
    }
    function parameterStore(held: Credentials) {
      const limit = limitFor(limiters.ssm, region, party);
      return { client: clients.ssm(region, held), region, limit, identity, deniedActions };
    }
    function fetchAs(
      held: Credentials,
      store: Store,
      requests: readonly StoreRequest[],
      signal: AbortSignal,
    ): Promise<Answers> {
      return store === 'secretsmanager'
        ? fetchSecrets(requests, secretsManager(held), signal)
        : fetchParameters(requests, parameterStore(held), signal);
    }

    return {
      key: `${key} ${region}`,
      region,
      async fetch(store, requests, signal) {
        const held = await credentialsIn(region, signal);
        const answers = await fetchAs(held, store, requests, signal);
        const refused = requests.filter((request) => isRefusal(answers.get(request)));
        if (refused.length === 0) {
          return answers;
        }
        // Credentials can become invalid before they expire, for example when an administrator revokes sessions.
        drop(region, held);
        const again = await fetchAs(await credentialsIn(region, signal), store, refused, signal);
        return new Map([...answers, ...again]);
      },
    };
  };
}

function isRefusal(answer: Answer | undefined): boolean {
  return answer instanceof ProviderError && answer.reason === 'CredentialsRefused';
}
