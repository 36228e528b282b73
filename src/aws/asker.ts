import { ProviderError } from '../errors.ts';
import { createLimiter, type Limiter } from '../limiter.ts';
import type { Store } from '../spec/mount-spec.ts';
import type { Clients, Credentials } from './clients.ts';
import type { Authenticated } from './identity/credentials.ts';
import type { Asker } from './memory/reader.ts';
import { createDenialBook } from './stores/denials.ts';
import { fetchParameters } from './stores/parameter-store.ts';
import { fetchSecrets, isBatchable, secretVersion } from './stores/secrets-manager.ts';
import type { Answer, Answers, Regional, StoreRequest } from './stores/store.ts';

/** Both stores of a region, asked as a pod: with its credentials, and by what its identity may do. */
export function createAskers(clients: Clients): (pod: Authenticated, region: string) => Asker {
  const denialsOf = createDenialBook();
  // Calls at once to a region. Parameter Store gives an account 40 a second by default, Secrets Manager thousands.
  const limiters = { secretsManager: createLimiter(32), ssm: createLimiter(8) };

  return ({ identity, key, credentialsIn, drop }, region) => {
    const denials = denialsOf(key);
    function secretsManager(held: Credentials) {
      const client = clients.secretsManager(region, held);
      return { ...regional(client, { lane: region, party: key }, limiters.secretsManager), identity, denials };
    }
    function parameterStore(held: Credentials) {
      return { ...regional(clients.ssm(region, held), { lane: region, party: key }, limiters.ssm), identity, denials };
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
        // Credentials can end before their time, as when an administrator revokes sessions.
        drop(region, held);
        const again = await fetchAs(await credentialsIn(region, signal), store, refused, signal);
        return new Map([...answers, ...again]);
      },
      async versions(requests, signal) {
        const batch = requests.filter(isBatchable);
        // The batch call tells of twenty at once; to be told of one version, without the value, is the next best.
        const saves = batch.length > 1 && !denials.has('secretsmanager:BatchGetSecretValue');
        const singly = requests.filter((request) => !saves || !batch.includes(request));
        if (singly.length === 0) {
          return new Map();
        }
        const access = secretsManager(await credentialsIn(region, signal));
        const versions = singly.map(
          async (request) => [request, await secretVersion(request, access, signal)] as const,
        );
        return new Map(
          (await Promise.all(versions)).filter(
            (pair): pair is [StoreRequest, string | ProviderError] => pair[1] !== undefined,
          ),
        );
      },
    };
  };
}

/** A service of a region (the lane), which takes so many calls at once, in turns by the identities that ask (the parties). */
export function regional<Client>(
  client: Client,
  place: { readonly lane: string; readonly party: string },
  limiter: Limiter,
): Regional<Client> {
  return { client, region: place.lane, limit: (call, signal) => limiter.run(place, call, signal) };
}

function isRefusal(answer: Answer | undefined): boolean {
  return answer instanceof ProviderError && answer.reason === 'CredentialsRefused';
}
