import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { FakeStoreClient, failed, request, shown } from '../../../test/fakes/aws/store-client.ts';
import { createCachedStore } from './cached-store.ts';
import type { StoreRequest } from '../model/store.ts';

const NEVER = new AbortController().signal;
const INTERVAL = 120_000;
const BOTH = [request('a'), request('b')];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A store that has read this a second ago, as this identity. */
async function newReader(requests: readonly StoreRequest[], client: FakeStoreClient, maxBytes = 1_000) {
  const reader = createCachedStore({ clock: SYSTEM_CLOCK, maxBytes, deadline: () => NEVER });
  await reader.read(requests, client, INTERVAL, NEVER);
  vi.advanceTimersByTime(1_000);
  client.asked.length = 0;
  return reader;
}

function heldAt(versions: Readonly<Record<string, string>>) {
  return new Map(Object.entries(versions).map(([name, version]) => [request(name), version] as const));
}

it('fetches within the interval too, once for all that need the same value', async () => {
  const client = new FakeStoreClient();
  const reader = await newReader(BOTH, client);
  await reader.refresh([...BOTH, request('a')], client, NEVER);

  expect(client.asked).toEqual(['fetch a b']);
  expect(await reader.confirmVersions(heldAt({ a: 'v1', b: 'v1' }), client, INTERVAL, NEVER)).toBe(1_000);
  expect(client.asked).toHaveLength(1);
});

it('reads values that were never read, and parameters, together', async () => {
  const client = new FakeStoreClient('k', { a: 'v1', b: 'v1', '/p': '1' });
  const parameter = request('/p', {}, 'ssmparameter');
  const reader = await newReader([request('a'), parameter], client);
  await reader.refresh([...BOTH, parameter], client, NEVER);

  expect(client.asked).toEqual(['fetch a b', 'fetch parameters /p']);
  expect(shown(await reader.read([...BOTH, parameter], client, 0, NEVER))).toEqual(['a v1', 'b v1', '/p 1']);
  expect(client.asked).toHaveLength(2);
});

it.for([
  ['with values', 1_000, []],
  ['without room for values', 0, ['fetch a']],
] as const)('returns a value that changed within the interval, %s', async ([, maxBytes, more]) => {
  const client = new FakeStoreClient();
  const reader = await newReader(BOTH, client, maxBytes);
  client.holds.set('a', 'v2');
  await reader.refresh(BOTH, client, NEVER);

  expect(await reader.confirmVersions(heldAt({ a: 'v1' }), client, INTERVAL, NEVER)).toBeUndefined();
  expect(await reader.confirmVersions(heldAt({ a: 'v2' }), client, INTERVAL, NEVER)).toBe(1_000);
  expect(client.asked).toEqual(['fetch a b']);
  expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual(['a v2']);
  expect(client.asked).toEqual(['fetch a b', ...more]);
});

it('reads pinned versions too, because the permission to read them may have changed', async () => {
  const client = new FakeStoreClient();
  const pinned = request('a', { version: 'v1' });
  const reader = await newReader([pinned], client);
  await reader.refresh([pinned], client, NEVER);

  expect(client.asked).toEqual(['fetch a']);
});

it('does not use the response to a request that was sent before it', async () => {
  const client = new FakeStoreClient();
  const reader = await newReader([], client);
  const gate = Promise.withResolvers<void>();
  client.gate = gate.promise;
  const before = reader.read([request('a')], client, INTERVAL, NEVER);
  vi.advanceTimersByTime(10);
  const refreshing = reader.refresh([request('a')], client, NEVER);
  gate.resolve();
  await Promise.all([before, refreshing]);

  expect(client.asked).toEqual(['fetch a', 'fetch a']);
  expect(await reader.confirmVersions(heldAt({ a: 'v1' }), client, INTERVAL, NEVER)).toBe(1_010);
});

it('does not repeat a request that just failed, whatever the interval, and does not throw', async () => {
  const client = new FakeStoreClient();
  const reader = await newReader(BOTH, client);
  for (const name of ['a', 'b']) {
    client.holds.set(name, failed('StoreUnavailable'));
  }
  await reader.refresh(BOTH, client, NEVER);
  vi.advanceTimersByTime(5_000);
  await reader.refresh(BOTH, client, NEVER);

  expect(client.asked).toEqual(['fetch a b']);
  vi.advanceTimersByTime(1);
  client.holds.set('a', 'v1').set('b', 'v1');
  await reader.refresh(BOTH, client, NEVER);
  expect(client.asked).toEqual(['fetch a b', 'fetch a b']);
});

it('does not retry what AWS throttles, because the next poll does', async () => {
  const client = new FakeStoreClient('k', { a: 'v1', '/p': '1' });
  const parameter = request('/p', {}, 'ssmparameter');
  client.retriesThrottled = false;
  const reader = await newReader([parameter], client);
  client.holds.set('/p', failed('Throttled'));

  await reader.refresh([parameter], client, NEVER);
  vi.advanceTimersByTime(6_000);
  expect(shown(await reader.read([parameter], client, 0, NEVER))).toEqual(['Throttled']);

  expect(client.asked).toEqual(['fetch parameters /p', 'fetch parameters /p']);
});

it('ends with the signal', async () => {
  const client = new FakeStoreClient();
  const reader = await newReader(BOTH, client);
  client.gate = new Promise(() => undefined);
  const cancelling = new AbortController();
  const refreshing = reader.refresh(BOTH, client, cancelling.signal);
  cancelling.abort(failed('Cancelled'));

  await expect(refreshing).rejects.toMatchObject({ reason: 'Cancelled' });
});
