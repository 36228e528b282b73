import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SYSTEM_CLOCK } from '../../concurrency/clock.ts';
import { FakeAsker, failed, request, shown } from '../../../test/fakes/aws/asker.ts';
import { createMemory } from './value-cache.ts';
import { createReader } from './cached-store.ts';
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

/** One that has read this a second ago, as this identity. */
async function newReader(requests: readonly StoreRequest[], asker: FakeAsker, maxBytes = 1_000) {
  const reader = createReader(createMemory(maxBytes), { clock: SYSTEM_CLOCK, deadlineMs: 10_000, closing: NEVER });
  await reader.read(requests, asker, INTERVAL, NEVER);
  vi.advanceTimersByTime(1_000);
  asker.asked.length = 0;
  return reader;
}

function heldAt(versions: Readonly<Record<string, string>>) {
  return new Map(Object.entries(versions).map(([name, version]) => [request(name), version] as const));
}

it('asks within the interval too, and once for all that want the same', async () => {
  const asker = new FakeAsker();
  const reader = await newReader(BOTH, asker);
  await reader.refresh([...BOTH, request('a')], asker, NEVER);

  expect(asker.asked).toEqual(['fetch a b']);
  expect(await reader.currentAsOf(heldAt({ a: 'v1', b: 'v1' }), asker, INTERVAL, NEVER)).toBe(1_000);
  expect(asker.asked).toHaveLength(1);
});

it('reads what was never read, and parameters, together', async () => {
  const asker = new FakeAsker('k', { a: 'v1', b: 'v1', '/p': '1' });
  const parameter = request('/p', {}, 'ssmparameter');
  const reader = await newReader([request('a'), parameter], asker);
  await reader.refresh([...BOTH, parameter], asker, NEVER);

  expect(asker.asked).toEqual(['fetch a b', 'fetch parameters /p']);
  expect(shown(await reader.read([...BOTH, parameter], asker, 0, NEVER))).toEqual(['a v1', 'b v1', '/p 1']);
  expect(asker.asked).toHaveLength(2);
});

it.for([
  ['with values', 1_000, []],
  ['without room for values', 0, ['fetch a']],
] as const)('shows a value that changed within the interval, %s', async ([, maxBytes, more]) => {
  const asker = new FakeAsker();
  const reader = await newReader(BOTH, asker, maxBytes);
  asker.holds.set('a', 'v2');
  await reader.refresh(BOTH, asker, NEVER);

  expect(await reader.currentAsOf(heldAt({ a: 'v1' }), asker, INTERVAL, NEVER)).toBeUndefined();
  expect(await reader.currentAsOf(heldAt({ a: 'v2' }), asker, INTERVAL, NEVER)).toBe(1_000);
  expect(asker.asked).toEqual(['fetch a b']);
  expect(shown(await reader.read([request('a')], asker, INTERVAL, NEVER))).toEqual(['a v2']);
  expect(asker.asked).toEqual(['fetch a b', ...more]);
});

it('reads what cannot change as well: that it may be read is news', async () => {
  const asker = new FakeAsker();
  const pinned = request('a', { version: 'v1' });
  const reader = await newReader([pinned], asker);
  await reader.refresh([pinned], asker, NEVER);

  expect(asker.asked).toEqual(['fetch a']);
});

it('takes no answer to a question that was asked before it', async () => {
  const asker = new FakeAsker();
  const reader = await newReader([], asker);
  const gate = Promise.withResolvers<void>();
  asker.gate = gate.promise;
  const before = reader.read([request('a')], asker, INTERVAL, NEVER);
  vi.advanceTimersByTime(10);
  const refreshing = reader.refresh([request('a')], asker, NEVER);
  gate.resolve();
  await Promise.all([before, refreshing]);

  expect(asker.asked).toEqual(['fetch a', 'fetch a']);
  expect(await reader.currentAsOf(heldAt({ a: 'v1' }), asker, INTERVAL, NEVER)).toBe(1_010);
});

it('asks nobody again who failed a moment ago, whatever the interval, and throws nothing of it', async () => {
  const asker = new FakeAsker();
  const reader = await newReader(BOTH, asker);
  for (const name of ['a', 'b']) {
    asker.holds.set(name, failed('StoreUnavailable'));
  }
  await reader.refresh(BOTH, asker, NEVER);
  vi.advanceTimersByTime(4_999);
  await reader.refresh(BOTH, asker, NEVER);

  expect(asker.asked).toEqual(['fetch a b']);
  vi.advanceTimersByTime(1);
  asker.holds.set('a', 'v1').set('b', 'v1');
  await reader.refresh(BOTH, asker, NEVER);
  expect(asker.asked).toEqual(['fetch a b', 'fetch a b']);
});

it('asks once for what AWS throttles, as it is asked again with the next look', async () => {
  const asker = new FakeAsker('k', { a: 'v1', '/p': '1' });
  const parameter = request('/p', {}, 'ssmparameter');
  const reader = await newReader([parameter], asker);
  asker.holds.set('/p', failed('Throttled'));

  await reader.refresh([parameter], asker, NEVER);

  expect(asker.asked).toEqual(['fetch parameters /p']);
});

it('ends with the signal', async () => {
  const asker = new FakeAsker();
  const reader = await newReader(BOTH, asker);
  asker.gate = new Promise(() => undefined);
  const cancelling = new AbortController();
  const refreshing = reader.refresh(BOTH, asker, cancelling.signal);
  cancelling.abort(failed('Cancelled'));

  await expect(refreshing).rejects.toMatchObject({ reason: 'Cancelled' });
});
