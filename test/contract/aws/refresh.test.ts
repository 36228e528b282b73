import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Fetcher } from '../../../src/aws/fetch.ts';
import { SecretBytes } from '../../../src/model/secret-bytes.ts';
import type { MountSpec, ObjectSpec } from '../../../src/model/mount-spec.ts';
import { OUTAGE } from '../../fakes/aws/faults.ts';
import type { Statement } from '../../fakes/aws/policy.ts';
import { READ_ALL } from '../../fakes/aws/start-aws-fakes.ts';
import { mintToken } from '../../fakes/aws/web-token.ts';
import { BATCH, callsOf, READ } from '../daemon/calls.ts';
import {
  confirmVersions,
  fetchAll,
  fetched,
  newFetcher,
  openFakes,
  parameter,
  podSpec,
  reasons,
  secret,
  settingsFor,
  texts,
} from './fetch-fixture.ts';

const INTERVAL = 120_000;
const { signal } = new AbortController();
const NAMES = Array.from({ length: 30 }, (_, index) => `s${index}`);

// Time passes only when a test advances it.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A fetcher for the service accounts `cart` and `pay`, each with a role of its name and these permissions. */
async function openFetcher(allows: readonly Statement[], limits: { readonly cacheMaxBytes?: number } = {}) {
  const fakes = await openFakes();
  const seed = await fakes.seed();
  for (const name of ['cart', 'pay']) {
    fakes.addRole(name, [`shop/${name}`], allows);
  }
  const fetcher = newFetcher({
    settings: settingsFor(fakes.gate.url, { maxAttempts: 1 }),
    roleOf: async ({ serviceAccount }) => `arn:aws:iam::${fakes.account}:role/${serviceAccount}`,
    limits: { intervalMs: INTERVAL, cacheMaxBytes: 1_000_000, deadlineMs: 60_000, ...limits },
  });
  return {
    fakes,
    seed,
    fetcher,
    async [Symbol.asyncDispose]() {
      fetcher[Symbol.dispose]();
      await fakes[Symbol.asyncDispose]();
    },
  };
}

/** A mount of one of a service account's pods. */
function specOf(objects: readonly ObjectSpec[], number = 0, serviceAccount = 'cart'): MountSpec {
  const token = SecretBytes.fromText(mintToken(`shop/${serviceAccount}`));
  return podSpec(objects, {
    pod: { namespace: 'shop', name: `${serviceAccount}-${number}`, uid: `${serviceAccount}-${number}`, serviceAccount },
    tokens: new Map([['sts.amazonaws.com', token]]),
  });
}

/** A hundred mounts with ten of thirty secrets each. */
function hundredMounts(): readonly MountSpec[] {
  return Array.from({ length: 100 }, (_, number) => {
    const names = NAMES.filter((_name, index) => index % 3 === number % 3);
    return specOf(
      names.map((name) => secret(name)),
      number,
    );
  });
}

async function versionsOf(spec: MountSpec, fetcher: Fetcher): Promise<ReadonlyMap<string, string>> {
  const outcomes = await fetchAll(fetcher, spec, signal);
  return new Map(outcomes.map((outcome, index) => [spec.objects[index]!.path, fetched(outcome).version]));
}

describe('a hundred mounts of one identity, of thirty secrets together', () => {
  it.for<readonly [string, readonly Statement[], Readonly<Record<string, number>>]>([
    ['by the batch call', [READ, BATCH], { BatchGetSecretValue: 2 }],
    ['by reading each, where that is denied', [READ], { GetSecretValue: 30 }],
  ])('are fetched once each: %s', async ([, allows, expected]) => {
    await using opened = await openFetcher(allows);
    const { fakes, seed, fetcher } = opened;
    await Promise.all(NAMES.map((name) => seed.secret(name, `value of ${name}`)));
    const specs = hundredMounts();
    // Denied actions are learned by the first read and the first check.
    await fetcher.refresh(specs, signal);
    vi.advanceTimersByTime(1_000);
    await fetcher.refresh([specOf([secret('s0')])], signal);
    const held = await Promise.all(specs.map((spec) => versionsOf(spec, fetcher)));
    vi.advanceTimersByTime(60_000);
    const begun = performance.now();

    expect(await callsOf({ aws: fakes }, () => fetcher.refresh(specs, signal))).toEqual(expected);
    const served = await callsOf({ aws: fakes }, async () => {
      for (const [index, spec] of specs.entries()) {
        expect(await confirmVersions(fetcher, spec, held[index]!, signal)).toBe(begun);
      }
    });
    expect(served).toEqual({});
  });
});

it('fetches separately for each identity, and a denial of one does not affect the other', async () => {
  await using opened = await openFetcher([READ_ALL]);
  const { fakes, seed, fetcher } = opened;
  await seed.secret('a', 'value a');
  fakes.addRole('pay', ['shop/pay'], []);
  const [cart, pay] = [specOf([secret('a')]), specOf([secret('a')], 0, 'pay')];

  expect(await callsOf({ aws: fakes }, () => fetcher.refresh([cart, pay], signal))).toEqual({
    AssumeRoleWithWebIdentity: 2,
    GetSecretValue: 2,
  });
  const served = await callsOf({ aws: fakes }, async () => {
    expect(texts(await fetchAll(fetcher, cart, signal))).toEqual(['value a']);
    expect(reasons(await fetchAll(fetcher, pay, signal))).toEqual(['AccessDenied']);
  });
  expect(served).toEqual({});
});

it('uses a valid token, and serves nothing to an expired one', async () => {
  await using opened = await openFetcher([READ_ALL]);
  const { seed, fetcher } = opened;
  await seed.secret('a', 'value a');
  const fresh = specOf([secret('a')], 1);
  const ended = {
    ...fresh,
    tokens: new Map([['sts.amazonaws.com', SecretBytes.fromText(mintToken('shop/cart', { exp: 1 }))]]),
  };
  await fetcher.refresh([ended, fresh, ended], signal);

  expect(texts(await fetchAll(fetcher, fresh, signal))).toEqual(['value a']);
  await expect(fetchAll(fetcher, ended, signal)).rejects.toMatchObject({ reason: 'CredentialsRefused' });
});

it.for<readonly [string, readonly Statement[], number, Readonly<Record<string, number>>]>([
  ['the batch call', [READ, BATCH], 1_000, {}],
  ['the batch call, with no room for values', [READ, BATCH], 0, { BatchGetSecretValue: 1 }],
  ['reading', [READ], 1_000, {}],
])('returns a value that changed within the interval: %s', async ([, allows, cacheMaxBytes, expected]) => {
  await using opened = await openFetcher(allows, { cacheMaxBytes });
  const { fakes, seed, fetcher } = opened;
  await Promise.all([seed.secret('a', 'a1'), seed.secret('b', 'b1')]);
  const spec = specOf([secret('a'), secret('b')]);
  const held = await versionsOf(spec, fetcher);
  // The first check learns the denied actions.
  vi.advanceTimersByTime(1_000);
  await fetcher.refresh([spec], signal);
  await seed.secretVersion('a', 'a2');
  vi.advanceTimersByTime(1_000);
  await fetcher.refresh([spec], signal);
  const calls = await callsOf({ aws: fakes }, async () => {
    expect(await confirmVersions(fetcher, spec, held, signal)).toBeUndefined();
    expect(texts(await fetchAll(fetcher, spec, signal))).toEqual(['a2', 'b1']);
  });

  expect(calls).toEqual(expected);
});

it('fetches parameters in tens, and serves them from the cache', async () => {
  await using opened = await openFetcher([READ]);
  const { fakes, seed, fetcher } = opened;
  const names = Array.from({ length: 25 }, (_, index) => `/p/${index}`);
  await Promise.all(names.map((name) => seed.parameter(name, `value of ${name}`)));
  const specs = [
    specOf(names.slice(0, 15).map((name) => parameter(name))),
    specOf(
      names.slice(10).map((name) => parameter(name)),
      1,
    ),
  ];
  await Promise.all(specs.map((spec) => fetchAll(fetcher, spec, signal)));
  await seed.parameter('/p/12', 'new');
  vi.advanceTimersByTime(1_000);

  expect(await callsOf({ aws: fakes }, () => fetcher.refresh(specs, signal))).toEqual({ GetParameters: 3 });
  const calls = await callsOf({ aws: fakes }, async () => {
    for (const spec of specs) {
      expect(await confirmVersions(fetcher, spec, new Map(), signal)).toBeUndefined();
      expect(texts(await fetchAll(fetcher, spec, signal))).toContain('new');
    }
  });
  expect(calls).toEqual({});
});

it('leaves an outage, and a pod without identity, to the mounts that are served next, and calls nothing twice for it', async () => {
  await using opened = await openFetcher([READ_ALL]);
  const { fakes, seed, fetcher } = opened;
  await Promise.all([seed.secret('a', 'value a'), seed.parameter('/p', 'value p')]);
  const spec = specOf([secret('a'), parameter('/p')]);
  const nobody = { ...spec, tokens: new Map<string, SecretBytes>() };
  const held = await versionsOf(spec, fetcher);
  vi.advanceTimersByTime(INTERVAL + 1);
  using _ = fakes.gate.state.inject(OUTAGE);
  const calls = await callsOf({ aws: fakes }, async () => {
    await fetcher.refresh([nobody, spec], signal);
    await fetcher.refresh([nobody, spec], signal);
    expect(reasons(await fetchAll(fetcher, spec, signal))).toEqual(['StoreUnavailable', 'StoreUnavailable']);
    expect(await confirmVersions(fetcher, specOf([secret('a')]), held, signal)).toBeUndefined();
  });

  expect(calls).toEqual({ GetSecretValue: 1, GetParameters: 1 });
  await expect(fetchAll(fetcher, nobody, signal)).rejects.toMatchObject({ reason: 'TokenMissing' });
});

it('ends with the signal', async () => {
  await using opened = await openFetcher([READ_ALL]);
  const { fakes, fetcher } = opened;
  using _ = fakes.gate.state.inject({ kind: 'hang' });
  const cancelling = new AbortController();
  const refreshing = fetcher.refresh([specOf([secret('a')])], cancelling.signal);
  await expect.poll(() => fakes.gate.state.count(), { interval: 5 }).toBe(1);
  cancelling.abort(new Error('the provider is stopping'));

  await expect(refreshing).rejects.toThrow('the provider is stopping');
});
