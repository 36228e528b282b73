import { assert, double, integer, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import { createVirtualClock } from '../../test/fakes/virtual-clock.ts';
import { createSchedule, eventPollAt, firstPollIn, nextPollAt, retryIn } from './schedule.ts';

const INTERVAL = integer({ min: 1_000, max: 3_600_000 });

it('polls again within the interval, and leaves a tenth of it for the poll itself', () => {
  assert(
    property(string(), INTERVAL, integer({ min: 0, max: 1e9 }), (key, intervalMs, startedAt) => {
      const at = nextPollAt({ startedAt, confirmedAt: undefined }, key, intervalMs) - startedAt;

      expect(at).toBeGreaterThan(0.79 * intervalMs);
      expect(at).toBeLessThanOrEqual(0.9 * intervalMs);
    }),
  );
});

it('counts a cached value from when AWS returned it, and never polls again at once', () => {
  assert(
    property(string(), INTERVAL, double({ min: 0, max: 10, noNaN: true }), (key, intervalMs, age) => {
      const startedAt = 1e8;
      const confirmedAt = startedAt - age * intervalMs;

      const at = nextPollAt({ startedAt, confirmedAt }, key, intervalMs);

      expect(at - startedAt).toBeGreaterThanOrEqual(Math.min(6_500, 0.79 * intervalMs));
      expect(at).toBeLessThanOrEqual(Math.max(confirmedAt + 0.9 * intervalMs, startedAt + 6_500));
    }),
  );
});

it('spreads the polls of nodes', () => {
  const looks = Array.from({ length: 100 }, (_, node) =>
    nextPollAt({ startedAt: 0, confirmedAt: 0 }, `node-${node}`, 60_000),
  );
  const firsts = Array.from({ length: 100 }, (_, node) => firstPollIn(`node-${node}`, 60_000));

  expect(new Set(looks.map((at) => Math.floor(at / 1_000))).size).toBeGreaterThan(5);
  expect(new Set(firsts.map((at) => Math.floor(at / 1_000))).size).toBeGreaterThan(7);
  expect(Math.max(...firsts)).toBeLessThanOrEqual(10_000);
});

it('retries soon, then less and less often, and at least once per poll interval', () => {
  const waits = [1, 2, 3, 4, 5, 6, 50].map((failures) => retryIn(failures, 'node', 120_000));

  expect(waits).toEqual(waits.toSorted((one, other) => one - other));
  expect(waits[0]).toBeGreaterThan(5_000);
  expect(waits[0]).toBeLessThanOrEqual(6_500);
  expect(waits.at(-1)).toBeGreaterThan(90_000);
  expect(Math.max(...waits)).toBeLessThanOrEqual(120_000);
});

it('does not let all nodes that failed together try again together', () => {
  const waits = Array.from({ length: 100 }, (_, node) => retryIn(6, `node-${node}`, 60_000));

  expect(new Set(waits.map((wait) => Math.floor(wait / 1_000))).size).toBeGreaterThan(7);
});

it('polls at once for a change event, then once in five seconds, and events that arrive meanwhile share the next poll', () => {
  const first = eventPollAt(Number.NEGATIVE_INFINITY, 1_000);
  const next = eventPollAt(first, 1_200);

  expect([first, next]).toEqual([1_000, 6_000]);
  expect(eventPollAt(next, 5_999)).toBe(6_000);
  expect(eventPollAt(next, 6_001)).toBe(11_000);
  expect(eventPollAt(next, 60_000)).toBe(60_000);
});

it.for([
  ['with rotation, from when AWS confirmed the files', true, 60_000],
  ['without rotation, from the poll', false, 160_000],
] as const)('counts the interval %s', async ([, rotates, from]) => {
  const clock = createVirtualClock();
  const pod = { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' };
  const mount = { pod, failures: 0, current: { versions: new Map(), confirmedAt: 60_000 } };
  const schedule = createSchedule({ clock, nodeName: 'node', intervalMs: 120_000, rotates });
  await clock.advance(160_000);

  const at = schedule.next(mount, 160_000);

  expect(at).toBeGreaterThanOrEqual(from + 0.8 * 120_000);
  expect(at).toBeLessThanOrEqual(from + 0.9 * 120_000);
  expect(schedule.next(mount, 160_000, 1_000)).toBe(161_000);
});
