import type { Clock } from '../../src/concurrency/clock.ts';
import type { Random } from '../fakes/random.ts';

/** Secrets and parameters with their versions, and the roles that may read them. */
export interface AwsAccount {
  /** Creates a secret or parameter, or a new version of it. @returns number of the version, from 1 */
  rotate(name: string): number;
  /** A new version of each of them, which belong together from then on. */
  rotateTogether(names: readonly string[]): void;
  /** What was rotated together: the new versions, and when. */
  readonly pairs: readonly Pair[];
  currentOf(name: string): number;
  /** When the current version was created. */
  rotatedAt(name: string): number;
  names(): readonly string[];
  allow(role: string, name: string, isAllowed: boolean): void;
  mayRead(role: string, name: string): boolean;
  /** Since when the role may no longer read it; undefined if it may. */
  deniedSince(role: string, name: string): number | undefined;
  /** Whether the role could read that version at some moment between two. */
  couldRead(
    role: string,
    name: string,
    version: number,
    between: { readonly from: number; readonly to: number },
  ): boolean;
  /** Longest time until a node is shown a new version. */
  propagationMs: number;
  /** The version that a node is shown now, and no older one after that. */
  shownTo(node: string, name: string): number;
}

interface Pair {
  readonly versions: ReadonlyMap<string, number>;
  readonly at: number;
}

interface Span {
  readonly from: number;
  to: number;
}

const PARAMETER = 'parameter-';

export function isParameter(name: string): boolean {
  return name.startsWith(PARAMETER);
}

/** Text of a value, which names the secret and its version. */
export function valueOf(name: string, version: number): string {
  return JSON.stringify({ user: `${name}#${version}#user`, password: `${name}#${version}#password` });
}

/** All `[name, version]` that a text names. */
export function versionsIn(text: string): readonly (readonly [string, number])[] {
  return Array.from(text.matchAll(/([\w-]+)#(\d+)#/g), ([, name = '', version]) => [name, Number(version)] as const);
}

export function createAwsAccount(clock: Clock, random: Random): AwsAccount {
  /** When each version was created. */
  const versions = new Map<string, number[]>();
  /** When each role was allowed what. */
  const grants = new Map<string, Span[]>();
  const delays = new Map<string, number>();
  const pairs: Pair[] = [];

  function rotate(name: string): number {
    const times = versions.get(name) ?? [];
    times.push(clock.now());
    versions.set(name, times);
    return times.length;
  }

  function lastGrant(role: string, name: string): Span | undefined {
    return grants.get(`${role} ${name}`)?.at(-1);
  }

  const account: AwsAccount = {
    propagationMs: 0,
    rotate,
    pairs,
    rotateTogether(names) {
      pairs.push({ versions: new Map(names.map((name) => [name, rotate(name)])), at: clock.now() });
    },
    currentOf: (name) => versions.get(name)?.length ?? 0,
    rotatedAt: (name) => versions.get(name)?.at(-1) ?? 0,
    names: () => [...versions.keys()],
    allow(role, name, isAllowed) {
      const spans = grants.get(`${role} ${name}`) ?? [];
      grants.set(`${role} ${name}`, spans);
      const last = spans.at(-1);
      if (isAllowed && last?.to !== Infinity) {
        spans.push({ from: clock.now(), to: Infinity });
      } else if (!isAllowed && last?.to === Infinity) {
        last.to = clock.now();
      }
    },
    mayRead: (role, name) => lastGrant(role, name)?.to === Infinity,
    deniedSince(role, name) {
      const until = lastGrant(role, name)?.to ?? 0;
      return until === Infinity ? undefined : until;
    },
    couldRead(role, name, version, { from, to }) {
      const times = versions.get(name) ?? [];
      const begins = times[version - 1] ?? Infinity;
      const ends = (times[version] ?? Infinity) + account.propagationMs;
      const spans = grants.get(`${role} ${name}`) ?? [];
      return spans.some((span) => Math.max(span.from, begins, from) <= Math.min(span.to, ends, to));
    },
    shownTo(node, name) {
      const share = delays.get(node) ?? random.next();
      delays.set(node, share);
      const times = versions.get(name) ?? [];
      return Math.max(1, times.filter((at) => at + share * account.propagationMs <= clock.now()).length);
    },
  };
  return account;
}
