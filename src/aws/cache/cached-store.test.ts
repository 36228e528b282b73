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
  it('asks once within the interval for all mounts of the identity', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    vi.advanceTimersByTime(INTERVAL);
    const outcomes = await reader.read([request('b'), request('a')], client, INTERVAL, NEVER);

    expect(shown(outcomes)).toEqual(['b v1', 'a v1']);
    expect(client.asked).toEqual(['fetch a b']);
  });

  it('asks again past the interval', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    client.holds.set('a', 'v2');
    vi.advanceTimersByTime(INTERVAL + 1);

    expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual(['a v2']);
  });

  it('asks sooner for those whose interval is shorter, and says as of when each answer is', async () => {
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

  it('counts the interval from the question, not from the answer', async () => {
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
  ])('answers to another %s only what the store says to it', async ([, key]) => {
    const reader = newReader();
    await reader.read([request('a')], new FakeStoreClient(), INTERVAL, NEVER);
    const other = new FakeStoreClient(key, { a: failed('AccessDenied') });

    expect(shown(await reader.read([request('a')], other, INTERVAL, NEVER))).toEqual(['AccessDenied']);
    expect(other.asked).toEqual(['fetch a']);
  });

  it('asks only for what it does not know, and once for what is asked for twice', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    const outcomes = await reader.read([request('a'), request('b'), request('b')], client, INTERVAL, NEVER);

    expect(shown(outcomes)).toEqual(['a v1', 'b v1', 'b v1']);
    expect(client.asked).toEqual(['fetch a', 'fetch b']);
  });

  it('asks again for a value that there was no room for', async () => {
    const reader = newReader({}, 0);
    const client = new FakeStoreClient();
    await reader.read([request('a')], client, INTERVAL, NEVER);
    await reader.read([request('a')], client, INTERVAL, NEVER);

    expect(client.asked).toEqual(['fetch a', 'fetch a']);
  });

  it('joins those who ask at once, and serves the others when one of them is cancelled', async () => {
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

  it('lets no store hold back what another has answered', async () => {
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

  it('tells of an object that a store says nothing of', async () => {
    expect(shown(await newReader().read([request('none')], new FakeStoreClient(), INTERVAL, NEVER))).toEqual([
      'Internal',
    ]);
  });
});

describe('a failure', () => {
  it('is each object’s own, is good for a moment, and leaves the others', async () => {
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

  it('of the whole question is each object’s', async () => {
    const reader = newReader();
    const client = new FakeStoreClient();
    client.gate = Promise.reject(failed('CredentialsRefused'));

    expect(shown(await reader.read([request('a'), request('b')], client, INTERVAL, NEVER))).toEqual([
      'CredentialsRefused',
      'CredentialsRefused',
    ]);
  });

  it('that is a bug says so, without its text', async () => {
    const client = new FakeStoreClient();
    client.gate = Promise.reject(new Error('s3cr3t'));
    const [outcome] = (await newReader().read([request('a')], client, INTERVAL, NEVER)).values();

    expect(outcome).toMatchObject({ reason: 'Internal', message: expect.not.stringContaining('s3cr3t') });
  });

  it('that comes of the end of the process is not remembered', async () => {
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

  it('is Throttled only when there is no more time to ask again, whatever the last question came to', async () => {
    const reader = newReader({ deadline: () => AbortSignal.timeout(400) });
    const client = new FakeStoreClient('k', { a: 'v1', b: failed('Throttled') });
    const reading = reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    await nextTurn();
    client.gate = new Promise(() => undefined);

    expect(shown(await reading)).toEqual(['a v1', 'Throttled']);
    expect(client.asked).toEqual(['fetch a b', 'fetch b']);
  });

  it('is DeadlineExceeded where a store says nothing in time', async () => {
    const client = new FakeStoreClient();
    client.gate = new Promise(() => undefined);

    expect(
      shown(await newReader({ deadline: () => AbortSignal.timeout(20) }).read([request('a')], client, INTERVAL, NEVER)),
    ).toEqual(['DeadlineExceeded']);
  });

  it('of throttling is asked again, for what was throttled and nothing else', async () => {
    const reader = newReader();
    const client = new FakeStoreClient('k', { a: 'v1', b: failed('Throttled') });
    const reading = reader.read([request('a'), request('b')], client, INTERVAL, NEVER);
    await nextTurn();
    client.holds.set('b', 'v1');

    expect(shown(await reading)).toEqual(['a v1', 'b v1']);
    expect(client.asked).toEqual(['fetch a b', 'fetch b']);
  });
});
