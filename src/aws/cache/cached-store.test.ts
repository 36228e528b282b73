import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { FakeStoreClient, failed, request, shown } from '../../../test/fakes/aws/store-client.ts';
import { createCachedStore, type CachedStoreSettings } from './cached-store.ts';

const NEVER = new AbortController().signal;
const INTERVAL = 120_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function newReader(settings: Partial<CachedStoreSettings> = {}, maxBytes = 1_000) {
  return createCachedStore({ clock: SYSTEM_CLOCK, maxBytes, deadline: () => NEVER, ...settings });
}

describe('reading', () => {
  it('fetches once within the interval for all mounts of the identity', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    vi.advanceTimersByTime(INTERVAL);
    const outcomes = await reader.read([request('b'), request('a')], client, INTERVAL, NEVER);

    expect(shown(outcomes)).toEqual(['b v1', 'a v1']);
    expect(client.asked).toEqual(['fetch a b']);
  });

  it('fetches again after the interval', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    client.holds.set('a', 'v2');
    vi.advanceTimersByTime(INTERVAL + 1);

    expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual(['a v2']);
  });

  it('fetches sooner for a shorter interval, and returns when each value was confirmed', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    const begun = performance.now();
    vi.advanceTimersByTime(5_000);
    const [patient] = (await reader.read([request('a')], client, INTERVAL, NEVER)).values();
    const [other] = (await reader.read([request('a')], client, 4_999, NEVER)).values();

    expect(client.asked).toEqual(['fetch a', 'fetch a']);
    expect([patient, other]).toMatchObject([{ confirmedAt: begun }, { confirmedAt: begun + 5_000 }]);
  });

  it('counts the interval from the request, not from the response', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    const gate = Promise.withResolvers<void>();
    client.gate = gate.promise;
    const reading = reader.read([request('a')], client, INTERVAL, NEVER);
    vi.advanceTimersByTime(50_000);
    gate.resolve();
    await reading;
    vi.advanceTimersByTime(INTERVAL - 50_000 + 1);
    await reader.read([request('a')], client, INTERVAL, NEVER);

    expect(client.asked).toEqual(['fetch a', 'fetch a']);
  });

  it.for([
    ['identity', 'role-b us-east-1'],
    ['region', 'role-a us-west-2'],
  ])('serves another %s only values that the store returned to it', async ([, key]) => {
    const reader = newReader();
    await reader.read([request('a')], new FakeStoreClient(), INTERVAL, NEVER);
    const other = new FakeStoreClient(key, { a: failed('AccessDenied') });

    expect(shown(await reader.read([request('a')], other, INTERVAL, NEVER))).toEqual(['AccessDenied']);
    expect(other.asked).toEqual(['fetch a']);
  });

  it('fetches only what is not cached, and once what is requested twice', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    const outcomes = await reader.read([request('a'), request('b'), request('b')], client, INTERVAL, NEVER);

    expect(shown(outcomes)).toEqual(['a v1', 'b v1', 'b v1']);
    expect(client.asked).toEqual(['fetch a', 'fetch b']);
  });

  it('fetches a value again that did not fit into the cache', async () => {
    const reader = newReader({}, 0);
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    await reader.read([request('a')], client, INTERVAL, NEVER);

    expect(client.asked).toEqual(['fetch a', 'fetch a']);
  });

  it('shares one call between concurrent callers, and serves the others when one is cancelled', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    const gate = Promise.withResolvers<void>();
    client.gate = gate.promise;
    const cancelling = new AbortController();
    const first = reader.read([request('a')], client, INTERVAL, cancelling.signal);
    const second = reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    cancelling.abort(failed('Cancelled'));

    await expect(first).rejects.toMatchObject({ reason: 'Cancelled' });
    gate.resolve();
    expect(shown(await second)).toEqual(['a v1', 'b v1']);
    expect(client.asked).toEqual(['fetch a', 'fetch b']);
  });

  it('does not let one store delay the values of the other', async () => {
    const reader = newReader({ deadline: () => AbortSignal.timeout(200) });
    const client = new FakeStoreClient('role-a us-east-1', { a: 'v1', '/p': failed('Throttled') });
    let waits = true;
    const slow = reader.read([request('a'), request('/p', {}, 'ssmparameter')], client, INTERVAL, NEVER).finally(() => {
      waits = false;
    });

    expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual(['a v1']);
    expect(waits).toBe(true);
    expect(shown(await slow)).toEqual(['a v1', 'Throttled']);
    expect(client.asked.filter((question) => question === 'fetch a')).toHaveLength(1);
  });

  it('reports an object that is missing in the response of a store', async () => {
    expect(shown(await newReader().read([request('none')], new FakeStoreClient(), INTERVAL, NEVER))).toEqual([
      'Internal',
    ]);
  });
});

describe('a failure', () => {
  it('belongs to one object, is cached for a moment, and does not affect others', async () => {
    const reader = newReader();
    const client = new FakeStoreClient('k', { a: 'v1', b: failed('AccessDenied') });
    await reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    vi.advanceTimersByTime(1_000);

    expect(shown(await reader.read([request('a'), request('b')], client, INTERVAL, NEVER))).toEqual([
      'a v1',
      'AccessDenied',
    ]);
    vi.advanceTimersByTime(1);
    client.holds.set('b', 'v1');
    expect(shown(await reader.read([request('a'), request('b')], client, INTERVAL, NEVER))).toEqual(['a v1', 'b v1']);
    expect(client.asked).toEqual(['fetch a b', 'fetch b']);
  });

  it('of the whole request becomes the failure of each object', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    client.gate = Promise.reject(failed('CredentialsRefused'));

    expect(shown(await reader.read([request('a'), request('b')], client, INTERVAL, NEVER))).toEqual([
      'CredentialsRefused',
      'CredentialsRefused',
    ]);
  });

  it('that is a bug is reported as such, without its text', async () => {
    const client = new FakeStoreClient();
    client.gate = Promise.reject(new Error('s3cr3t'));
    const [outcome] = (await newReader().read([request('a')], client, INTERVAL, NEVER)).values();

    expect(outcome).toMatchObject({ reason: 'Internal', message: expect.not.stringContaining('s3cr3t') });
  });

  it('that is caused by the end of the process is not cached', async () => {
    const closing = new AbortController();
    const reader = newReader({ deadline: () => closing.signal });
    const client = new FakeStoreClient();
    closing.abort(failed('Cancelled'));
    client.gate = Promise.reject(new Error('aborted'));
    const reading = reader.read([request('a')], client, INTERVAL, NEVER);

    expect(shown(await reading)).toEqual(['Cancelled']);
    await reader.read([request('a')], client, INTERVAL, NEVER);
    expect(client.asked).toHaveLength(2);
  });

  it('is Throttled only when no time is left for a retry, whatever the last attempt returned', async () => {
    const reader = newReader({ deadline: () => AbortSignal.timeout(400) });
    const client = new FakeStoreClient('k', { a: 'v1', b: failed('Throttled') });
    const reading = reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    await nextTurn();
    client.gate = new Promise(() => undefined);

    expect(shown(await reading)).toEqual(['a v1', 'Throttled']);
    expect(client.asked).toEqual(['fetch a b', 'fetch b']);
  });

  it('is DeadlineExceeded if a store does not respond in time', async () => {
    const client = new FakeStoreClient();
    client.gate = new Promise(() => undefined);

    expect(
      shown(await newReader({ deadline: () => AbortSignal.timeout(20) }).read([request('a')], client, INTERVAL, NEVER)),
    ).toEqual(['DeadlineExceeded']);
  });

  it('of throttling is retried, only for the throttled objects', async () => {
    const reader = newReader();
    const client = new FakeStoreClient('k', { a: 'v1', b: failed('Throttled') });
    const reading = reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    await nextTurn();
    client.holds.set('b', 'v1');

    expect(shown(await reading)).toEqual(['a v1', 'b v1']);
    expect(client.asked).toEqual(['fetch a b', 'fetch b']);
  });
});
