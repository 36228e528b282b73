import type { MountSpec } from '../model/mount-spec.ts';

/** Where a mount was learned from the API server, nobody knows how old its files are: looked at soon, but not all nodes at once. */
const FIRST_WITHIN_MS = 10_000;
/** Longer, whatever the lot, than an outage is remembered for (aws/cache/failures.ts): sooner, nobody would be asked. */
const FIRST_RETRY_MS = 6_500;
/** Between looks that brought nothing newer. */
const PAUSE_MS = 2_000;

/** Equal for mounts that one question to AWS can serve: those of one identity, looked at equally often. */
export function groupOf({ pod, authentication, regions }: MountSpec, intervalMs: number): string {
  const { namespace, serviceAccount, uid } = pod;
  // Sessions of EKS Pod Identity are a pod's own.
  const whose = authentication.kind === 'irsa' ? [] : [uid];
  return JSON.stringify([namespace, serviceAccount, ...whose, regions[0], intervalMs]);
}

/**
 * Milliseconds from one look to the next: a tenth less than the interval, for the look's own time, and up to another tenth, by lot, so that nodes
 * that started together do not go on together.
 * @param key of the group, and of the node
 */
function periodOf(key: string, intervalMs: number): number {
  return intervalMs * (0.9 - 0.1 * jitterOf(key));
}

/**
 * When a mount that is well is to be looked at again. An answer from memory counts from when AWS gave it; but where a look brought
 * nothing newer, as in an outage that memory covers up, the next one is not at once.
 */
export function nextPollAt(
  last: { readonly startedAt: number; readonly confirmedAt: number | undefined },
  key: string,
  intervalMs: number,
): number {
  const { startedAt, confirmedAt = startedAt } = last;
  const periodMs = periodOf(key, intervalMs);
  return Math.max(Math.min(startedAt, confirmedAt) + periodMs, startedAt + Math.min(PAUSE_MS, periodMs));
}

/** A notice costs its sender nothing, and a look costs calls to AWS. */
const EVENT_POLL_EVERY_MS = 5_000;

/**
 * When a notice has mounts looked at that are looked at together: at once, but not more often than once in five seconds. Those that come
 * until then are of the same look.
 * @param lastAt of the latest look for a notice, which may be still to come
 */
export function eventPollAt(lastAt: number, now: number): number {
  return lastAt >= now ? lastAt : Math.max(now, lastAt + EVENT_POLL_EVERY_MS);
}

/** Milliseconds to the first look at a mount of which only the API server told. */
export function firstPollIn(key: string, intervalMs: number): number {
  return Math.min(intervalMs / 2, FIRST_WITHIN_MS) * jitterOf(key);
}

/** Milliseconds to the next try. Never rarer than the looks themselves. @param failures in a row, at least 1 */
export function retryIn(failures: number, key: string, intervalMs: number): number {
  const longest = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20), intervalMs);
  return longest * (0.8 + 0.2 * jitterOf(key));
}

/** From 0 to 1, the same for the same key: FNV-1a, and the last step of MurmurHash3, without which names that differ in their last digit lie together. */
function jitterOf(key: string): number {
  let hash = 0x811c9dc5;
  for (const character of key) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
