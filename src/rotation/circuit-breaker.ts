import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';

/** Who waited longer for nothing has seen the API server hang: those that come after do not wait in turn. */
const LONG_MS = 1_000;
const REMEMBERED_MS = 5_000;

/**
 * What is asked of the API server through it is answered by the last failure for a while, where that took long to come: hundreds of mounts would
 * each wait for the next one otherwise.
 */
export function createCircuitBreaker(
  clock: Clock,
): <Args extends readonly unknown[], Answer>(
  ask: (...args: Args) => Promise<Answer>,
) => (...args: Args) => Promise<Answer> {
  let absence: { readonly error: ProviderError; readonly until: number } | undefined;

  return (ask) =>
    async (...args) => {
      const begun = clock.now();
      if (absence !== undefined && begun < absence.until) {
        throw absence.error;
      }
      try {
        return await ask(...args);
      } catch (error) {
        const now = clock.now();
        if (error instanceof ProviderError && error.reason === 'KubernetesUnavailable' && now - begun > LONG_MS) {
          absence = { error, until: now + REMEMBERED_MS };
        }
        throw error;
      }
    };
}
