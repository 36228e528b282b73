import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { clockAt } from '../../../test/fakes/virtual-clock.ts';
import type { Credentials } from '../client/clients.ts';
import { createCredentialsCache } from './credentials-cache.ts';

const NEVER = new AbortController().signal;
const MINUTE = 60_000;
const LIFETIME = 60 * MINUTE;

/** A cache before an STS that issues credentials for an hour, when the test allows it. */
function newCache() {
  const clock = { now: 1_000_000 };
  const cache = createCredentialsCache(clockAt(() => clock.now));
  const calls: PromiseWithResolvers<Credentials>[] = [];

  function obtain(): Promise<Credentials> {
    const call = Promise.withResolvers<Credentials>();
    calls.push(call);
    return call.promise;
  }

  return {
    clock,
    cache,
    calls,
    get: (key = 'k', signal: AbortSignal = NEVER) => cache.get(key, obtain, signal),
    give(number: number, lifetime: number = LIFETIME): Credentials {
      const credentials = {
        accessKeyId: `key ${number}`,
        secretAccessKey: 's',
        sessionToken: 't',
        expiration: new Date(clock.now + lifetime),
      };
      calls[number - 1]?.resolve(credentials);
      return credentials;
    },
    refuse(number: number): void {
      calls[number - 1]?.reject(new Error(`no ${number}`));
    },
  };
}

/** A cache that already has credentials. */
async function newWarmCache() {
  const warm = newCache();
  const getting = warm.get();
  const first = warm.give(1);
  await getting;
  return { ...warm, first };
}

describe('credentials', () => {
  it('are requested once by concurrent callers', async () => {
    const { get, give, calls } = newCache();
    const getting = [get(), get(), get()];
    const credentials = give(1);

    expect(await Promise.all(getting)).toEqual([credentials, credentials, credentials]);
    expect(await get()).toBe(credentials);
    expect(calls).toHaveLength(1);
  });

  it('belong to their key', async () => {
    const { get, give } = newCache();
    const getting = [get('a'), get('b')];
    const [ofA, ofB] = [give(1), give(2)];

    expect(await Promise.all(getting)).toEqual([ofA, ofB]);
  });

  it('are returned to the other callers when one is cancelled', async () => {
    const { get, give, calls } = newCache();
    const cancelling = new AbortController();
    const first = get('k', cancelling.signal);
    const second = get();
    cancelling.abort(new Error('the driver ended the call'));

    await expect(first).rejects.toThrow('the driver ended the call');
    const credentials = give(1);
    expect(await second).toBe(credentials);
    expect(calls).toHaveLength(1);
  });

  it('are requested again after a failure, which is thrown to all waiting callers', async () => {
    const { get, give, calls, refuse } = newCache();
    const failing = [get(), get()];
    refuse(1);

    expect(await Promise.allSettled(failing)).toMatchObject([{ reason: { message: 'no 1' } }, { status: 'rejected' }]);
    const again = get();
    const credentials = give(2);
    expect(await again).toBe(credentials);
    expect(calls).toHaveLength(2);
  });
});

describe('before they expire', () => {
  it('new ones are requested, once, and no caller waits for them', async () => {
    const { get, give, calls, clock, first } = await newWarmCache();
    clock.now += LIFETIME - 5 * MINUTE - 1;
    await get();
    expect(calls).toHaveLength(1);

    clock.now += 1;
    expect(await Promise.all([get(), get()])).toEqual([first, first]);
    expect(await get()).toBe(first);
    expect(calls).toHaveLength(2);

    const second = give(2);
    await nextTurn();
    expect(await get()).toBe(second);
    expect(calls).toHaveLength(2);
  });

  it('a failed refresh keeps them, and is retried after a while', async () => {
    const { get, refuse, calls, clock, first } = await newWarmCache();
    clock.now += LIFETIME - 4 * MINUTE;
    await get();
    refuse(2);
    await nextTurn();

    expect(await get()).toBe(first);
    clock.now += 30_000;
    expect(await get()).toBe(first);
    expect(calls).toHaveLength(2);
    clock.now += 1;
    expect(await get()).toBe(first);
    expect(calls).toHaveLength(3);
  });

  it('a caller waits for the refresh in flight if they are about to expire', async () => {
    const { get, give, calls, clock } = await newWarmCache();
    clock.now += LIFETIME - MINUTE;
    await get();
    clock.now += MINUTE - 10_000;
    const waiting = get();
    const second = give(2);

    expect(await waiting).toBe(second);
    expect(calls).toHaveLength(2);
  });

  it('those with a very short lifetime are still used', async () => {
    const { get, give, calls } = newCache();
    const getting = get();
    const short = give(1, 2 * MINUTE);
    await getting;

    expect(await get()).toBe(short);
    expect(calls).toHaveLength(2);
  });
});

describe('when they have expired', () => {
  it('they are not returned, even if no new ones are available', async () => {
    const { get, refuse, clock } = await newWarmCache();
    clock.now += LIFETIME - 10_000;
    const getting = get();
    refuse(2);

    await expect(getting).rejects.toThrow('no 2');
  });

  it('a recent failed refresh does not prevent a new request', async () => {
    const { get, give, refuse, clock } = await newWarmCache();
    clock.now += LIFETIME - 15_000;
    await get();
    refuse(2);
    await nextTurn();
    clock.now += 5_000;
    const getting = get();
    const third = give(3);

    expect(await getting).toBe(third);
  });
});

describe('credentials that AWS no longer accepts', () => {
  it('are not used again', async () => {
    const { cache, get, give, first } = await newWarmCache();
    cache.drop('k', first);
    const getting = get();
    const second = give(2);

    expect(await getting).toBe(second);
  });

  it('are dropped once, however many calls were refused with them', async () => {
    const { cache, get, give, calls, first } = await newWarmCache();
    cache.drop('k', first);
    const getting = get();
    cache.drop('k', first);
    const second = give(2);
    await getting;
    cache.drop('k', first);

    expect(await get()).toBe(second);
    expect(calls).toHaveLength(2);
  });

  it('are not restored by a failed refresh', async () => {
    const { cache, get, give, refuse, clock, first } = await newWarmCache();
    clock.now += LIFETIME - 4 * MINUTE;
    await get();
    cache.drop('k', first);
    refuse(2);
    await nextTurn();
    const getting = get();
    const third = give(3);

    expect(await getting).toBe(third);
  });

  it('are replaced by a refresh in flight', async () => {
    const { cache, get, give, calls, clock, first } = await newWarmCache();
    clock.now += LIFETIME - 4 * MINUTE;
    await get();
    cache.drop('k', first);
    const waiting = get();
    const second = give(2);

    expect(await waiting).toBe(second);
    expect(calls).toHaveLength(2);
  });

  it('of another key are kept', async () => {
    const { cache, get, first } = await newWarmCache();
    cache.drop('other', first);

    expect(await get()).toBe(first);
  });
});

it('keeps valid credentials and requests in flight, however many pods there are', async () => {
  const { get, give, calls } = newCache();
  const pods = Array.from({ length: 600 }, (_, index) => get(`pod ${index}`));
  const given = pods.map((_, index) => give(index + 1));
  await Promise.all(pods);
  const waiting = get('new');
  void get('newer');
  const another = get('new');
  const credentials = give(601);

  expect(await Promise.all([waiting, another])).toEqual([credentials, credentials]);
  expect(await get('pod 0')).toBe(given[0]);
  expect(calls).toHaveLength(602);
});
