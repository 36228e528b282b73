import type { Clock } from '../../concurrency/clock.ts';
import type { DeniedActions, OptionalAction } from '../model/store.ts';

/** After this the action is tried again, because the policy may allow it by then. */
const GOOD_FOR_MS = 3_600_000;

/** Remembers actions that AWS denied to an identity, so that they are not tried with every fetch. */
export function createDeniedActions(clock: Clock): (identityKey: string) => DeniedActions {
  const until = new Map<string, number>();

  function dropOld(): void {
    const time = clock.now();
    for (const [key, end] of until) {
      // The map is in the order of expiry, because all entries have the same lifetime.
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
