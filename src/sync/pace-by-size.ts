import type { Clock } from '../concurrency/clock.ts';
import { createLimiter } from '../concurrency/limiter.ts';
import type { SecretContent } from './secret-api.ts';

/** Runs the write of a Secret, at a pace that depends on its size. */
export type PaceBySize = <Result>(
  namespace: string,
  content: SecretContent,
  write: () => Promise<Result>,
  signal: AbortSignal,
) => Promise<Result>;

/** Larger data is written one Secret at a time: encoded, sent, returned and parsed, it takes ten times its size in memory. */
const LARGE_BYTES = 128 * 1024;
const MIB = 2 ** 20;
/** Milliseconds of rest after each MiB, three times what it takes of the process's one thread. */
const REST_PER_MIB = 30;

/** Create only one per process. Namespaces take turns. */
export function createPaceBySize(clock: Clock): PaceBySize {
  const limiter = createLimiter(1);

  return async (namespace, content, write, signal) => {
    const bytes = [...content.data.values()].reduce((sum, value) => sum + value.size, 0);
    if (bytes <= LARGE_BYTES) {
      return await write();
    }
    return await limiter.run(
      { lane: 'large Secrets', party: [namespace] },
      async () => {
        try {
          return await write();
        } finally {
          await clock.sleep((bytes / MIB) * REST_PER_MIB, signal).catch(() => undefined);
        }
      },
      signal,
    );
  };
}
