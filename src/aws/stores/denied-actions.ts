import type { Clock } from '../../concurrency/clock.ts';
import type { DeniedActions, OptionalAction } from '../model/store.ts';

/** A policy may have been widened since. */
const GOOD_FOR_MS = 3_600_000;

/** What identities were found not to be allowed, so that nobody asks again and again. By identity. */
export function createDeniedActions(clock: Clock): (identityKey: string) => DeniedActions {
  const until = new Map<string, number>();

  function dropOld(): void {
    const time = clock.now();
    for (const [key, end] of until) {
      // In order of time, as each is good for as long as the others.
      if (end > time) {
        return;
      }
      until.delete(key);
    }
  }

  return (identityKey) => {
    function keyOf(action: OptionalAction): string {
      return `${action} ${identityKey}`;
    }
    return {
      has(action) {
        dropOld();
        return until.has(keyOf(action));
      },
      add(action) {
        until.delete(keyOf(action));
        until.set(keyOf(action), clock.now() + GOOD_FOR_MS);
      },
    };
  };
}
