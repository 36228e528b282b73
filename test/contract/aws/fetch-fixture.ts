import { afterAll, afterEach, beforeAll, beforeEach, inject } from 'vitest';
import { openClients } from '../../../src/aws/client/clients.ts';
import { createFetcher, type Fetcher, type FetcherDeps } from '../../../src/aws/fetch.ts';
import type { AwsSettings } from '../../../src/aws/client/settings.ts';
import { SYSTEM_CLOCK } from '../../../src/concurrency/clock.ts';
import { createServerClock } from '../../../src/concurrency/server-clock.ts';
import { ProviderError } from '../../../src/model/errors.ts';
import type { FetchedObject } from '../../../src/model/fetched-object.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { MountSpec, ObjectSource, ObjectSpec, Store } from '../../../src/model/mount-spec.ts';
import type { GateOptions } from '../../fakes/aws/gate.ts';
import { settingsFor } from '../../fakes/aws/settings.ts';
import { type AwsFakes, startAwsFakes } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';

export { settingsFor };

const POD = { namespace: 'shop', name: 'cart-7d9', uid: '6f2c', serviceAccount: 'cart' } as const;

export function openFakes(options: Partial<GateOptions> = {}): Promise<AwsFakes> {
  return startAwsFakes({ motoUrl: inject('motoUrl'), ...options });
}

/** Every request goes to the stores. */
export const NO_MEMORY = { intervalMs: 0, cacheMaxBytes: 0, deadlineMs: 5_000 } as const;

/** A fetcher with clients of its own. */
export function newFetcher(deps: Omit<FetcherDeps, 'clock' | 'clients'>): Fetcher {
  const clients = openClients(deps.settings, createServerClock(SYSTEM_CLOCK));
  return createFetcher({ ...deps, clock: SYSTEM_CLOCK, clients });
}

/** A fetcher whose pods all have this role. */
export function fetcherWith(settings: AwsSettings, roleArn: string): Fetcher {
  return newFetcher({ settings, roleOf: () => Promise.resolve(roleArn), limits: NO_MEMORY });
}

/**
 * An account for the tests of a file, filled once, and a fetcher for each test, because a fetcher caches credentials. Its pods may read everything.
 */
export function useFetcher(
  fill: (fakes: AwsFakes) => Promise<unknown>,
  changes: Partial<AwsSettings> = {},
): UsedFetcher {
  let fakes: AwsFakes;
  let fetcher: Fetcher;
  beforeAll(async () => {
    fakes = await openFakes();
    await fill(fakes);
  });
  beforeEach(() => {
    fetcher = fetcherWith(settingsFor(fakes.gate.url, changes), fakes.addRole('reader', ['shop/cart']));
  });
  afterEach(() => fetcher[Symbol.dispose]());
  afterAll(() => fakes[Symbol.asyncDispose]());
  return {
    get fakes() {
      return fakes;
    },
    get fetcher() {
      return fetcher;
    },
  };
}

export interface UsedFetcher {
  readonly fakes: AwsFakes;
  readonly fetcher: Fetcher;
}

export function secret(name: string, source: Partial<ObjectSource> = {}, failover = source): ObjectSpec {
  return objectSpec('secretsmanager', name, source, failover);
}

export function parameter(name: string, source: Partial<ObjectSource> = {}, failover = source): ObjectSpec {
  return objectSpec('ssmparameter', name, source, failover);
}

export function podSpec(objects: readonly ObjectSpec[], changes: Partial<MountSpec> = {}): MountSpec {
  return {
    regions: ['us-east-1'],
    authentication: { kind: 'irsa' },
    objects,
    targetPath: '/nowhere',
    pod: POD,
    tokens: new Map([['sts.amazonaws.com', SecretBytes.fromText(mintToken('shop/cart'))]]),
    ...changes,
  };
}

type FetchOutcome = FetchedObject | ProviderError;

/** Each object, or its failure, in the order of the spec. */
export async function fetchAll(
  fetcher: Fetcher,
  spec: MountSpec,
  signal: AbortSignal,
): Promise<readonly FetchOutcome[]> {
  const access = await fetcher.authenticate(spec, 'mount', signal);
  return [...(await access.fetchAll(signal)).values()];
}

export async function confirmVersions(
  fetcher: Fetcher,
  spec: MountSpec,
  versions: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<number | undefined> {
  const access = await fetcher.authenticate(spec, 'mount', signal);
  return await access.confirmVersions(versions, signal);
}

/** What was fetched. */
export function fetched(outcome: FetchOutcome | undefined): FetchedObject {
  if (outcome === undefined || outcome instanceof ProviderError) {
    throw outcome ?? new Error('no outcome');
  }
  return outcome;
}

/** The values, as text. */
export function texts(outcomes: readonly FetchOutcome[]): string[] {
  return outcomes.map((outcome) => fetched(outcome).value.exposeText());
}

/** Reasons of failures, and the values of the rest. */
export function reasons(outcomes: readonly FetchOutcome[]): string[] {
  return outcomes.map((outcome) =>
    outcome instanceof ProviderError ? outcome.reason : `value ${outcome.value.exposeText()}`,
  );
}

/** What failed. */
export function failure(outcome: FetchOutcome | undefined): ProviderError {
  if (!(outcome instanceof ProviderError)) {
    throw new TypeError('it did not fail');
  }
  return outcome;
}

function objectSpec(
  store: Store,
  name: string,
  source: Partial<ObjectSource>,
  failover: Partial<ObjectSource>,
): ObjectSpec {
  return {
    store,
    name,
    path: name.replaceAll('/', '_'),
    mode: 0o644,
    primary: { name, ...source },
    failover: { name, ...failover },
    extractions: [],
  };
}
