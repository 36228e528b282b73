import type { Clock } from './clock.ts';
import { ProviderError } from '../model/errors.ts';

/** Secrets of one mount that are made and written at once, each of which may be a MiB several times over. */
const AT_ONCE = 4;

/**
 * Does all, a few at once, then says all that failed, in the order given.
 * @param problems what has failed before
 * @throws ProviderError, or the signal's reason
 */
export async function fewAtOnce(
  works: readonly (() => Promise<void>)[],
  problems: readonly ProviderError[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const failures = new Map<number, ProviderError>();
  const waiting = works.entries();
  async function doNext(): Promise<void> {
    for (const [index, work] of waiting) {
      try {
        await work();
      } catch (error) {
        failures.set(index, ProviderError.from(error));
      }
      // Those that need no call would come one upon the other.
      await clock.yield();
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, doNext));
  const inOrder = [...failures].toSorted(([left], [right]) => left - right).map(([, failure]) => failure);
  // Several Secrets may fail for one reason, as when the files cannot be read.
  const distinct = new Set([...problems, ...inOrder]);
  if (distinct.size > 0) {
    signal.throwIfAborted();
    throw ProviderError.all([...distinct]);
  }
}
