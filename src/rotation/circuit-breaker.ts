import type { Clock } from '../concurrency/clock.ts';
import { ProviderError } from '../model/errors.ts';

/** A call that fails after more than this means that the API server hangs; a call that fails sooner costs little to repeat. */
const LONG_MS = 1_000;
const OPEN_MS = 5_000;

/**
 * Wraps calls to the API server. After a call that failed slowly, all wrapped calls fail at once with the same error for a while: otherwise hundreds of
 * mounts would each wait for a time-out.
 */
export function createCircuitBreaker(
  clock: Clock,
): <Args extends readonly unknown[], Result>(
  call: (...args: Args) => Promise<Result>,
) => (...args: Args) => Promise<Result> {
  let open: { readonly error: ProviderError; readonly until: number } | undefined;

  return (call) =>
    async (...args) => {
      const begun = clock.now();
      if (open !== undefined && begun < open.until) {
        throw open.error;
      }
      try {
        return await call(...args);
      } catch (error) {
        const now = clock.now();
        if (error instanceof ProviderError && error.reason === 'KubernetesUnavailable' && now - begun > LONG_MS) {
          open = { error, until: now + OPEN_MS };
        }
        throw error;
      }
    };
}
