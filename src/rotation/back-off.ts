/** With any jitter longer than the cache keeps an outage (aws/cache/object-cache.ts): an earlier retry would not reach AWS. */
export const FIRST_RETRY_MS = 6_500;

/** Milliseconds before jitter, and before the bound by the poll interval. @param failures consecutive ones, at least 1 */
export function backOffMs(failures: number): number {
  return FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20);
}
