import { ProviderError } from '../errors.ts';
import type { MountDeps } from '../mount/mount.ts';
import type { MountSpec, ObjectSpec, Store } from '../spec/mount-spec.ts';
import { createClients, type Credentials } from './clients.ts';
import { createCredentialsSource, type CredentialDeps, type Authenticated } from './identity/credentials.ts';
import { createDenialBook } from './stores/denials.ts';
import { fetchWithFailover } from './failover.ts';
import { createLimiter, type Limiter } from '../limiter.ts';
import { createMemory } from './memory/memory.ts';
import { fetchParameters } from './stores/parameter-store.ts';
import { type Asker, createReader } from './memory/reader.ts';
import { fetchSecrets, isBatchable, secretVersion } from './stores/secrets-manager.ts';
import { isPinned } from './memory/source-key.ts';
import type { Answer, Answers, Regional, StoreRequest } from './stores/store.ts';
import { openTransport } from './transport.ts';

export interface FetcherDeps extends Pick<CredentialDeps, 'settings' | 'roleOf'> {
  readonly limits: FetchLimits;
}

export interface FetchLimits {
  /** Milliseconds that an answer of AWS's is good for, for the identity that got it. */
  readonly intervalMs: number;
  /** Bytes of values to remember; 0 remembers versions only. */
  readonly cacheMaxBytes: number;
  /** Milliseconds for one question to a store, with all tries. */
  readonly deadlineMs: number;
}

/** Both stores, asked as the pods. Disposing of it closes its connections. */
export interface Fetcher extends Pick<MountDeps, 'fetchAll'>, Disposable {
  /**
   * Whether the primary region still holds what was read there at these versions (by file), as far as versions tell.
   * @throws ProviderError where the pod is nobody to AWS
   */
  areCurrent(spec: MountSpec, versions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<boolean>;
}

export function createFetcher({ settings, roleOf, limits }: FetcherDeps): Fetcher {
  const closing = new AbortController();
  const transport = openTransport(settings);
  const clients = createClients(settings, transport);
  // Calls at once to a region. Parameter Store gives an account 40 a second by default; the others give thousands.
  const limiters = { sts: createLimiter(16), secretsManager: createLimiter(32), ssm: createLimiter(8) };
  const credentials = createCredentialsSource({
    settings,
    roleOf,
    sts: (region) => regional(clients, region, limiters.sts),
    deadline: () => AbortSignal.any([closing.signal, AbortSignal.timeout(limits.deadlineMs)]),
  });
  const denialsOf = createDenialBook();
  const reader = createReader(createMemory(limits.cacheMaxBytes), { ...limits, closing: closing.signal });

  function askerFor({ identity, key, credentialsIn, drop }: Authenticated, region: string): Asker {
    const denials = denialsOf(key);
    function secretsManager(held: Credentials) {
      const client = clients.secretsManager(region, held);
      return { ...regional(client, region, limiters.secretsManager), identity, denials };
    }
    function parameterStore(held: Credentials) {
      return { ...regional(clients.ssm(region, held), region, limiters.ssm), identity, denials };
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
  }

  return {
    async fetchAll(spec, signal) {
      if (spec.objects.length === 0) {
        return [];
      }
      const pod = await credentials.authenticate(spec, signal);
      return await fetchWithFailover(spec, (region, requests) => reader.read(requests, askerFor(pod, region), signal));
    },
    async areCurrent(spec, versions, signal) {
      if (spec.objects.length === 0) {
        return true;
      }
      const requests = spec.objects.map(primaryOf);
      // Numbers do not tell: a parameter made anew begins at 1 again, and one that stands for a secret is always at 0.
      if (requests.some((request) => request.object.store === 'ssmparameter' && !isPinned(request))) {
        return false;
      }
      const pod = await credentials.authenticate(spec, signal);
      const expected = requests.map((request) => [request, versions.get(request.object.path) ?? ''] as const);
      return await reader.areCurrent(new Map(expected), askerFor(pod, spec.regions[0]), signal);
    },
    [Symbol.dispose]() {
      closing.abort(new ProviderError('Cancelled', 'the provider is stopping'));
      transport[Symbol.dispose]();
    },
  };
}

function primaryOf(object: ObjectSpec): StoreRequest {
  return { object, source: object.primary };
}

function isRefusal(answer: Answer | undefined): boolean {
  return answer instanceof ProviderError && answer.reason === 'CredentialsRefused';
}

function regional<Client>(client: Client, region: string, limiter: Limiter): Regional<Client> {
  return { client, region, limit: (call, signal) => limiter.run(region, call, signal) };
}
