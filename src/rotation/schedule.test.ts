import { assert, double, integer, property, string } from 'fast-check';
import { expect, it } from 'vitest';
import type { MountSpec } from '../model/mount-spec.ts';
import { firstPollIn, groupOf, nextPollAt, eventPollAt, retryIn } from './schedule.ts';

const INTERVAL = integer({ min: 1_000, max: 3_600_000 });

function spec(changes: Partial<MountSpec> = {}): MountSpec {
  return {
    regions: ['us-east-1'],
    authentication: { kind: 'irsa' },
    objects: [],
    targetPath: '/a',
    pod: { namespace: 'shop', name: 'web-1', uid: 'uid-1', serviceAccount: 'web' },
    tokens: new Map(),
    ...changes,
  };
}

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

      expect(at - startedAt).toBeGreaterThanOrEqual(Math.min(2_000, 0.79 * intervalMs));
      expect(at).toBeLessThanOrEqual(Math.max(confirmedAt + 0.9 * intervalMs, startedAt + 2_000));
    }),
  );
});

it('does not send all nodes to AWS together', () => {
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

it.for<readonly [string, Partial<MountSpec>, boolean]>([
  ['another pod of the service account', { pod: { ...spec().pod, name: 'web-2', uid: 'uid-2' } }, true],
  ['other objects', { targetPath: '/b' }, true],
  ['another service account', { pod: { ...spec().pod, serviceAccount: 'other' } }, false],
  ['another namespace', { pod: { ...spec().pod, namespace: 'other' } }, false],
  ['another region', { regions: ['eu-west-1'] }, false],
  ['Pod Identity', { authentication: { kind: 'pod-identity', addressType: 'auto' } }, false],
])('asks one question for a mount and one of %s: %s', ([, changes, together]) => {
  expect(groupOf(spec(changes), 1_000) === groupOf(spec(), 1_000)).toBe(together);
});

it('groups neither pods with sessions of their own nor different intervals', () => {
  const authentication = { kind: 'pod-identity', addressType: 'auto' } as const;
  const [one, other] = ['uid-1', 'uid-2'].map((uid) => spec({ authentication, pod: { ...spec().pod, uid } }));

  expect(groupOf(one!, 1_000)).not.toBe(groupOf(other!, 1_000));
  expect(groupOf(spec(), 1_000)).not.toBe(groupOf(spec(), 2_000));
});

it('polls at once for a change event, then once in five seconds, and events that arrive meanwhile share the next poll', () => {
  const first = eventPollAt(Number.NEGATIVE_INFINITY, 1_000);
  const next = eventPollAt(first, 1_200);

  expect([first, next]).toEqual([1_000, 6_000]);
  expect(eventPollAt(next, 5_999)).toBe(6_000);
  expect(eventPollAt(next, 6_001)).toBe(11_000);
  expect(eventPollAt(next, 60_000)).toBe(60_000);
});
