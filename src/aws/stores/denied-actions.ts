import { createCache } from '../../concurrency/cache.ts';
import type { Clock } from '../../concurrency/clock.ts';

/** An action that saves calls if it is allowed, but is not required. */
type OptionalAction = 'secretsmanager:BatchGetSecretValue';

/** Actions that AWS has denied to one identity. */
export interface DeniedActions {
  has(action: OptionalAction): boolean;
  add(action: OptionalAction): void;
}

/** After this the action is tried again, because the policy may allow it by then. */
const DENIED_MS = 3_600_000;

/** Caches actions that AWS denied to an identity, so that they are not tried with every fetch. */
export function createDeniedActions(clock: Clock): (identityKey: string) => DeniedActions {
  const denied = createCache<true>(clock, { maxEntries: 10_000, ttlMs: DENIED_MS });
  return (identityKey) => {
    function keyOf(action: OptionalAction): string {
      return `${action} ${identityKey}`;
    }
    return {
      has: (action) => denied.has(keyOf(action)),
      add(action) {
        denied.set(keyOf(action), true);
      },
    };
  };
}
