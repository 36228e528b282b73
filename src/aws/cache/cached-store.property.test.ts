import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { failed, request } from '../../../test/fakes/aws/store-client.ts';
import { ProviderError } from '../../model/errors.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import { type CachedStore, createCachedStore } from './cached-store.ts';
import type { StoreCall, StoreRequest } from '../model/store.ts';
import type { StoreClient } from './shared-fetches.ts';

const NEVER = new AbortController().signal;
const INTERVAL = 1_000;
const ROLES = ['a', 'b'] as const;
const SECRETS = ['x', 'y', 'z'] as const;
type Role = (typeof ROLES)[number];
type Name = (typeof SECRETS)[number];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What AWS would have returned, at each time so far. */
class Account {
  #now = performance.now();
  #down = false;
  #downAt = -Infinity;
  readonly #versions = new Map<Name, string>(SECRETS.map((name) => [name, 'v0']));
  readonly #mayRead = new Set<string>(ROLES.flatMap((role) => SECRETS.map((name) => `${role} ${name}`)));
  readonly #said = new Map<string, number>();

  pass(ms: number): void {
    vi.advanceTimersByTime(ms);
    this.#now += ms;
  }

  rotate(name: Name): void {
    this.#versions.set(name, `v${Number(this.#versions.get(name)?.slice(1)) + 1}`);
  }

  allow(role: Role, name: Name, may: boolean): void {
    this.#mayRead[may ? 'add' : 'delete'](`${role} ${name}`);
  }

  fail(down: boolean): void {
    this.#downAt = this.#down ? this.#now : this.#downAt;
    this.#down = down;
  }

  /** For a while after an outage no call is made. */
  get isTrusted(): boolean {
    return !this.#down && this.#now - this.#downAt >= 5_000;
  }

  holds(name: Name, version: string): boolean {
    return this.#versions.get(name) === version;
  }

  /** Whether AWS returned this version to the role, by that kind of response, within the interval and not before a time. */
  said(kind: 'value' | 'version', role: Role, name: string, version: string, confirmedAt: number): boolean {
    const at = this.#said.get(`${kind} ${role} ${name} ${version}`);
    return at !== undefined && at >= Math.max(this.#now - INTERVAL, confirmedAt);
  }

  clientOf(role: Role): StoreClient {
    return {
      key: `${role} us-east-1`,
      retriesThrottled: true,
      fetch: async (_store, requests, call) =>
        new Map(requests.map((asked) => [asked.object, this.#answer(role, asked, call)] as const)),
    };
  }

  #answer(role: Role, { source }: StoreRequest, { askedAt }: StoreCall) {
    if (this.#down || !this.#mayRead.has(`${role} ${source.name}`)) {
      return failed(this.#down ? 'StoreUnavailable' : 'AccessDenied');
    }
    const version = this.#versions.get(source.name as Name) ?? '';
    this.#said.set(`value ${role} ${source.name} ${version}`, this.#now);
    this.#said.set(`version ${role} ${source.name} ${version}`, this.#now);
    return { version, value: SecretBytes.fromText(`${source.name} ${version}`), confirmedAt: askedAt };
  }
}

interface World {
  readonly account: Account;
  readonly reader: CachedStore;
  /** Version in each role's volume, by role and secret. */
  readonly filled: Map<string, string>;
  /** What was served, and for each whether that was right. */
  readonly served: boolean[];
}

type Step = (world: World) => unknown;

const role = fc.constantFrom(...ROLES);
const name = fc.constantFrom(...SECRETS);
const some = fc.subarray([...SECRETS], { minLength: 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.nat(1_500).map<Step>(
    (ms) =>
      ({ account }) =>
        account.pass(ms),
  ),
  name.map<Step>(
    (changed) =>
      ({ account }) =>
        account.rotate(changed),
  ),
  fc.tuple(role, name, fc.boolean()).map<Step>(
    (change) =>
      ({ account }) =>
        account.allow(...change),
  ),
  fc.boolean().map<Step>(
    (down) =>
      ({ account }) =>
        account.fail(down),
  ),
  fc.tuple(role, some).map<Step>((asked) => (world) => mount(world, ...asked)),
  fc.tuple(role, some).map<Step>((asked) => (world) => republish(world, ...asked)),
  fc.tuple(role, some).map<Step>((asked) => (world) => tick(world, ...asked)),
);

/** @returns the versions read, by secret */
async function mount({ account, reader, filled, served }: World, who: Role, names: readonly Name[]) {
  const outcomes = await reader.read(
    names.map((asked) => request(asked)),
    account.clientOf(who),
    INTERVAL,
    NEVER,
  );
  const read = new Map<Name, string>();
  for (const [object, outcome] of outcomes) {
    if (!(outcome instanceof ProviderError)) {
      const { version, value, confirmedAt } = outcome;
      // May it read this value, and was it the latest at that time?
      served.push(
        value.exposeText() === `${object.name} ${version}` &&
          account.said('value', who, object.name, version, -Infinity) &&
          account.said('version', who, object.name, version, confirmedAt),
      );
      filled.set(`${who} ${object.name}`, version);
      read.set(object.name as Name, version);
    }
  }
  return read;
}

async function republish({ account, reader, filled, served }: World, who: Role, names: readonly Name[]): Promise<void> {
  const held = names.filter((asked) => filled.has(`${who} ${asked}`));
  const expected = new Map(held.map((asked) => [request(asked), filled.get(`${who} ${asked}`) ?? '']));
  const confirmedAt = await reader.confirmVersions(expected, account.clientOf(who), INTERVAL, NEVER);
  if (confirmedAt !== undefined) {
    served.push(
      ...Array.from(expected, ([{ source }, version]) =>
        account.said('version', who, source.name, version, confirmedAt),
      ),
    );
  }
}

/** A rotation of the volumes that the role has filled: afterwards no outdated one counts as current, and none is filled with outdated values. */
async function tick(world: World, who: Role, names: readonly Name[]): Promise<void> {
  const { account, reader, filled, served } = world;
  account.pass(1);
  const begun = performance.now();
  const client = account.clientOf(who);
  await reader.refresh(
    names.map((asked) => request(asked)),
    client,
    NEVER,
  );
  for (const asked of names) {
    const version = filled.get(`${who} ${asked}`);
    if (version !== undefined) {
      const confirmedAt = await reader.confirmVersions(new Map([[request(asked), version]]), client, INTERVAL, NEVER);
      served.push(
        confirmedAt === undefined || !account.isTrusted || (confirmedAt >= begun && account.holds(asked, version)),
      );
    }
  }
  for (const [asked, version] of await mount(world, who, names)) {
    served.push(!account.isTrusted || account.holds(asked, version));
  }
}

it.for([0, 8, 1_000])(
  'serves a role only values that AWS returned to the same role within the interval, with a cache of %i bytes',
  async (maxBytes) => {
    let served = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const reader = createCachedStore({ clock: SYSTEM_CLOCK, maxBytes, deadline: () => NEVER });
        const world: World = { account: new Account(), reader, filled: new Map(), served: [] };
        for (const take of steps) {
          await take(world);
        }
        served += world.served.length;

        expect(world.served).not.toContain(false);
      }),
      { numRuns: 200 },
    );

    expect(served).toBeGreaterThan(500);
  },
);
