import type { Clock } from './clock.ts';
import { ProviderError } from '../model/errors.ts';

/** Secrets of one mount that are built and written at once. Each may take several MiB of memory. */
const AT_ONCE = 4;

/** Works on all items, a few at once, in their order. @param work must not throw */
export async function forFewAtOnce<Item>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const waiting = items.entries();
  async function doNext(): Promise<void> {
    for (const [index, item] of waiting) {
      await work(item, index);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, doNext));
}

/**
 * Runs all tasks, a few at once, and then throws all failures in the order of the tasks.
 * @param problems earlier failures to include
 * @throws ProviderError, or the signal's reason
 */
export async function fewAtOnce(
  works: readonly (() => Promise<void>)[],
  problems: readonly ProviderError[],
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const failures = new Map<number, ProviderError>();
  await forFewAtOnce(works, AT_ONCE, async (work, index) => {
    try {
      await work();
    } catch (error) {
      failures.set(index, ProviderError.from(error));
    }
    // Tasks without I/O would otherwise run one after the other without a pause.
    await clock.yield();
  });
  const inOrder = [...failures].toSorted(([left], [right]) => left - right).map(([, failure]) => failure);
  // Several Secrets may fail for the same reason, for example because the files cannot be read.
  const distinct = new Set([...problems, ...inOrder]);
  if (distinct.size > 0) {
    signal.throwIfAborted();
    throw ProviderError.all([...distinct]);
  }
}
