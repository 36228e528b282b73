import { backOffMs, FIRST_RETRY_MS } from './back-off.ts';
import { groupKey, intervalOf } from './groups.ts';
import type { NodeMount } from './node-mounts.ts';
import type { RotationDeps } from './rotation-deps.ts';

/** After a start the age of the files is unknown, so the first poll comes soon, but not on all nodes at once. */
const FIRST_WITHIN_MS = 10_000;

type Scheduled = Pick<NodeMount, 'spec' | 'pod' | 'current' | 'failures'>;

/** When the mounts of a node are polled, on the monotonic clock. */
export interface Schedule {
  /** For a mount that discovery found. */
  first(mount: Scheduled): number;
  /** After a poll that succeeded. @param dueInMs milliseconds until a downstream step that had to wait can be done */
  next(mount: Scheduled, startedAt: number, dueInMs?: number): number;
  /** After a poll that failed. */
  retry(mount: Scheduled): number;
}

export function createSchedule({
  clock,
  nodeName,
  intervalMs,
  rotates,
}: Pick<RotationDeps, 'clock' | 'nodeName' | 'intervalMs' | 'rotates'>): Schedule {
  function jitterKey(mount: Scheduled): string {
    return `${nodeName} ${groupKey(mount, intervalMs)}`;
  }

  return {
    first: (mount) => clock.now() + firstPollIn(jitterKey(mount), intervalMs),
    next(mount, startedAt, dueInMs = Number.POSITIVE_INFINITY) {
      // Without rotation no poll confirms anything: counted from the Mount call, each poll would be overdue.
      const confirmedAt = rotates ? mount.current?.confirmedAt : undefined;
      const at = nextPollAt({ startedAt, confirmedAt }, jitterKey(mount), intervalOf(mount, intervalMs));
      return Math.min(at, clock.now() + dueInMs);
    },
    retry: (mount) => clock.now() + retryIn(mount.failures, jitterKey(mount), intervalOf(mount, intervalMs)),
  };
}

/**
 * Milliseconds from one poll to the next: a tenth less than the interval, which leaves time for the poll itself, and up to another tenth of jitter, so
 * that nodes that started together do not poll together.
 * @param key of the group and the node
 */
function periodOf(key: string, intervalMs: number): number {
  return intervalMs * (0.9 - 0.1 * jitterOf(key));
}

/**
 * When to poll a healthy mount next. A cached value counts from when AWS returned it. If a poll brought nothing newer, as in an outage that the cache
 * bridges, the next one waits as long as the first retry.
 */
export function nextPollAt(
  last: { readonly startedAt: number; readonly confirmedAt: number | undefined },
  key: string,
  intervalMs: number,
): number {
  const { startedAt, confirmedAt = startedAt } = last;
  const periodMs = periodOf(key, intervalMs);
  return Math.max(Math.min(startedAt, confirmedAt) + periodMs, startedAt + Math.min(FIRST_RETRY_MS, periodMs));
}

/** Sending a change event costs nothing, and a poll costs calls to AWS. */
const EVENT_POLL_EVERY_MS = 5_000;

/**
 * When to poll a group because of a change event: now, but at most once in five seconds. Events that arrive before that poll cause no other one.
 * @param lastAt time of the latest poll that a change event requested; it may be in the future
 */
export function eventPollAt(lastAt: number, now: number): number {
  return lastAt >= now ? lastAt : Math.max(now, lastAt + EVENT_POLL_EVERY_MS);
}

/** Milliseconds until the first poll of a mount that discovery found. */
export function firstPollIn(key: string, intervalMs: number): number {
  return Math.min(intervalMs / 2, FIRST_WITHIN_MS) * jitterOf(key);
}

/** Milliseconds until the next retry, at most the poll interval. @param failures consecutive ones, at least 1 */
export function retryIn(failures: number, key: string, intervalMs: number): number {
  return Math.min(backOffMs(failures), intervalMs) * (0.8 + 0.2 * jitterOf(key));
}

/** From 0 to 1, the same for the same key: FNV-1a with the last step of MurmurHash3, which spreads names that differ only in their last digit. */
function jitterOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const character of key) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
