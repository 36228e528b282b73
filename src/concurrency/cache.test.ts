import { expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { createCache } from './cache.ts';

it('keeps an entry for its lifetime, even one of the first moment of the clock', async () => {
  const clock = createVirtualClock();
  const cache = createCache<object>(clock, { maxEntries: 10, ttlMs: 100 });
  const value = {};
  cache.set('one', value);

  await clock.advance(100);
  expect(cache.get('one')).toBe(value);

  await clock.advance(1);
  expect(cache.get('one')).toBeUndefined();
});

it('evicts the least recently used entry above the number of entries', () => {
  const cache = createCache<object>(createVirtualClock(), { maxEntries: 2 });
  cache.set('one', {});
  cache.set('two', {});
  cache.get('one');
  cache.set('three', {});

  expect([...cache.keys()].toSorted()).toEqual(['one', 'three']);
});

it('evicts by size, and does not keep entries larger than the whole cache', () => {
  const cache = createCache<{ readonly size: number }>(createVirtualClock(), {
    maxSize: 10,
    sizeOf: ({ size }) => size,
  });
  cache.set('one', { size: 6 });
  cache.set('two', { size: 6 });
  cache.set('three', { size: 11 });

  expect([...cache.keys()]).toEqual(['two']);
});

it('keeps no entry for long after its lifetime, though nobody reads it', async () => {
  const clock = createVirtualClock();
  const cache = createCache<object>(clock, { maxEntries: 10_000 });
  for (let index = 0; index < 1_000; index += 1) {
    cache.set(`failed-${index}`, {}, { ttl: 5_000 });
  }
  await clock.advance(6_000);
  cache.set('new', {}, { ttl: 5_000 });

  expect(cache.size).toBe(1);
});
