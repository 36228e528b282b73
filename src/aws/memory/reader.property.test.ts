import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { failed, request } from '../../../test/fakes/aws/asker.ts';
import { ProviderError } from '../../errors.ts';
import { SecretBytes } from '../../secret-bytes.ts';
import { createMemory } from './memory.ts';
import { type Asker, createReader, type Reader } from './reader.ts';
import type { StoreRequest } from '../stores/store.ts';

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

/** What AWS would have said, at each moment so far. */
class Account {
  #now = performance.now();
  #down = false;
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
    this.#down = down;
  }

  /** Whether the role was told this version, by that kind of answer, within the interval. */
  said(kind: 'value' | 'version', role: Role, name: string, version: string): boolean {
    const at = this.#said.get(`${kind} ${role} ${name} ${version}`);
    return at !== undefined && at >= this.#now - INTERVAL;
  }

  askerOf(role: Role): Asker {
    return {
      key: `${role} us-east-1`,
      region: 'us-east-1',
      fetch: async (_store, requests) => new Map(requests.map((asked) => [asked, this.#answer(role, asked)] as const)),
      versions: async (requests) =>
        this.#down
          ? Promise.reject(failed('StoreUnavailable'))
          : new Map(requests.map((asked) => [asked, this.#tell(role, asked)] as const)),
    };
  }

  #answer(role: Role, { source }: StoreRequest) {
    if (this.#down || !this.#mayRead.has(`${role} ${source.name}`)) {
      return failed(this.#down ? 'StoreUnavailable' : 'AccessDenied');
    }
    const version = this.#versions.get(source.name as Name) ?? '';
    this.#said.set(`value ${role} ${source.name} ${version}`, this.#now);
    this.#said.set(`version ${role} ${source.name} ${version}`, this.#now);
    return { version, value: SecretBytes.fromText(`${source.name} ${version}`) };
  }

  #tell(role: Role, { source }: StoreRequest): string {
    const version = this.#versions.get(source.name as Name) ?? '';
    this.#said.set(`version ${role} ${source.name} ${version}`, this.#now);
    return version;
  }
}

interface World {
  readonly account: Account;
  readonly reader: Reader;
  /** Version that each role's volume holds, by role and secret. */
  readonly filled: Map<string, string>;
  /** What was served, and for each whether that was right. */
  readonly served: boolean[];
}

type Step = (world: World) => Promise<void> | void;

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
);

async function mount({ account, reader, filled, served }: World, who: Role, names: readonly Name[]): Promise<void> {
  const outcomes = await reader.read(
    names.map((asked) => request(asked)),
    account.askerOf(who),
    NEVER,
  );
  for (const outcome of outcomes.values()) {
    if (!(outcome instanceof ProviderError)) {
      const { object, version, value } = outcome;
      served.push(
        value.exposeText() === `${object.name} ${version}` && account.said('value', who, object.name, version),
      );
      filled.set(`${who} ${object.name}`, version);
    }
  }
}

async function republish({ account, reader, filled, served }: World, who: Role, names: readonly Name[]): Promise<void> {
  const held = names.filter((asked) => filled.has(`${who} ${asked}`));
  const expected = new Map(held.map((asked) => [request(asked), filled.get(`${who} ${asked}`) ?? '']));
  if (await reader.areCurrent(expected, account.askerOf(who), NEVER)) {
    served.push(...Array.from(expected, ([{ source }, version]) => account.said('version', who, source.name, version)));
  }
}

it.for([0, 8, 1_000])(
  'serves a role only what AWS told that very role within the interval, with room for %i bytes',
  async (maxBytes) => {
    let served = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
        const limits = { intervalMs: INTERVAL, deadlineMs: 5_000, closing: NEVER };
        const reader = createReader(createMemory(maxBytes), limits);
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
