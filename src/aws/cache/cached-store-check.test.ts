import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { FakeStoreClient, failed, request, shown } from '../../../test/fakes/aws/store-client.ts';
import { createCachedStore } from './cached-store.ts';

const NEVER = new AbortController().signal;
const INTERVAL = 120_000;
/** Versions in a volume. */
const EXPECTED = new Map([[request('a'), 'v1']]);
/** The time after which a value read at 0 is too old. */
const PAST = INTERVAL + 1;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function newReader(maxBytes = 1_000) {
  return createCachedStore({ clock: SYSTEM_CLOCK, maxBytes, deadline: () => NEVER });
}

/** A store that has read the values in the volume. */
async function newCheckedReader(maxBytes = 1_000) {
  const reader = newReader(maxBytes);
  const client = new FakeStoreClient();
  await reader.read([request('a')], client, INTERVAL, NEVER);
  client.asked.length = 0;
  return { reader, client };
}

it.for([
  ['with values', 1_000],
  ['without room for values', 0],
] as const)('makes no call within the interval, %s', async ([, maxBytes]) => {
  const { reader, client } = await newCheckedReader(maxBytes);
  vi.advanceTimersByTime(INTERVAL);

  expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBe(0);
  expect(await reader.confirmVersions(new Map([[request('a'), 'v0']]), client, INTERVAL, NEVER)).toBeUndefined();
  expect(client.asked).toEqual([]);
});

it('reads again after the interval, once for all volumes of the identity', async () => {
  const { reader, client } = await newCheckedReader();
  vi.advanceTimersByTime(PAST);

  expect(
    await Promise.all([
      reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER),
      reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER),
    ]),
  ).toEqual([PAST, PAST]);
  expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBe(PAST);
  expect(client.asked).toEqual(['fetch a']);
});

it('detects a change', async () => {
  const { reader, client } = await newCheckedReader();
  client.holds.set('a', 'v2');
  vi.advanceTimersByTime(PAST);

  expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBeUndefined();
  expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual(['a v2']);
  expect(await reader.confirmVersions(new Map([[request('a'), 'v2']]), client, INTERVAL, NEVER)).toBe(PAST);
  expect(client.asked).toEqual(['fetch a']);
});

it('reads a value that the identity has never read', async () => {
  const { reader } = await newCheckedReader();
  const other = new FakeStoreClient('role-b us-east-1', { a: 'v1' });
  const denied = new FakeStoreClient('role-c us-east-1', { a: failed('AccessDenied') });

  expect(await reader.confirmVersions(EXPECTED, other, INTERVAL, NEVER)).toBe(0);
  expect(await reader.confirmVersions(EXPECTED, denied, INTERVAL, NEVER)).toBeUndefined();
  expect([other.asked, denied.asked]).toEqual([['fetch a'], ['fetch a']]);
});

it('reads after a denial, because only a read shows that the permission is back', async () => {
  const { reader, client } = await newCheckedReader();
  vi.advanceTimersByTime(PAST);
  client.holds.set('a', failed('AccessDenied'));
  await reader.read([request('a')], client, INTERVAL, NEVER);
  vi.advanceTimersByTime(1_001);
  client.holds.set('a', 'v1');

  expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBe(PAST + 1_001);
  expect(client.asked).toEqual(['fetch a', 'fetch a']);
});

it('reads a pinned version too, because the permission to read it can be revoked', async () => {
  const pinned = request('a', { version: 'v1' });
  const reader = newReader();
  const client = new FakeStoreClient();
  await reader.read([pinned], client, INTERVAL, NEVER);
  vi.advanceTimersByTime(PAST);

  expect(await reader.confirmVersions(new Map([[pinned, 'v1']]), client, INTERVAL, NEVER)).toBe(PAST);
  client.holds.set('a', failed('AccessDenied'));
  vi.advanceTimersByTime(PAST);
  expect(await reader.confirmVersions(new Map([[pinned, 'v1']]), client, INTERVAL, NEVER)).toBeUndefined();
  expect(client.asked).toEqual(['fetch a', 'fetch a', 'fetch a']);
});

it.for(['StoreUnavailable', 'AccessDenied'] as const)(
  'does not accept %s as a confirmation, and does not repeat the call',
  async (reason) => {
    const { reader, client } = await newCheckedReader();
    client.holds.set('a', failed(reason));
    vi.advanceTimersByTime(PAST);

    expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBeUndefined();
    expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual([reason]);
    expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBeUndefined();
    expect(client.asked).toEqual(['fetch a']);
  },
);

it('returns the confirmation time of the oldest value that can change', async () => {
  const pinned = request('b', { version: 'v1' });
  const reader = newReader();
  const client = new FakeStoreClient('k', { a: 'v1', b: 'v1', c: 'v1' });
  for (const asked of [pinned, request('a'), request('c')]) {
    await reader.read([asked], client, INTERVAL, NEVER);
    vi.advanceTimersByTime(10);
  }

  const expected = new Map([pinned, request('c'), request('a')].map((asked) => [asked, 'v1'] as const));
  expect(await reader.confirmVersions(expected, client, INTERVAL, NEVER)).toBe(10);
  expect(await reader.confirmVersions(new Map(), client, INTERVAL, NEVER)).toBe(30);
});

it('calls sooner for a shorter interval', async () => {
  const { reader, client } = await newCheckedReader();
  vi.advanceTimersByTime(5_000);

  expect(await reader.confirmVersions(EXPECTED, client, 5_000, NEVER)).toBe(0);
  expect(await reader.confirmVersions(EXPECTED, client, 4_999, NEVER)).toBe(5_000);
  expect(client.asked).toEqual(['fetch a']);
});

it('requests credentials once if there are none', async () => {
  const { reader, client } = await newCheckedReader();
  client.gate = Promise.reject(failed('CredentialsRefused'));
  vi.advanceTimersByTime(PAST);

  expect(await reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER)).toBeUndefined();
  expect(shown(await reader.read([request('a')], client, INTERVAL, NEVER))).toEqual(['CredentialsRefused']);
  expect(client.asked).toEqual(['fetch a']);
});

it("ends with the caller's signal, and continues for other callers", async () => {
  const { reader, client } = await newCheckedReader();
  vi.advanceTimersByTime(PAST);
  const gate = Promise.withResolvers<void>();
  client.gate = gate.promise;
  const cancelling = new AbortController();
  const cancelled = reader.confirmVersions(EXPECTED, client, INTERVAL, cancelling.signal);
  const other = reader.confirmVersions(EXPECTED, client, INTERVAL, NEVER);
  cancelling.abort(failed('Cancelled'));

  await expect(cancelled).rejects.toMatchObject({ reason: 'Cancelled' });
  gate.resolve();
  expect(await other).toBe(PAST);
});
