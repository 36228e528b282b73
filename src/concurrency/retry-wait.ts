export interface RetryWaits {
  /** Longest wait after the first failure, in milliseconds. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * The wait before a retry. It doubles with each failure, and has random jitter, so that nodes that failed together do not retry together.
 * @param failures before this one, in a row
 */
export function retryWaitMs(failures: number, { firstMs, longestMs }: RetryWaits): number {
  return Math.min(firstMs * 2 ** failures, longestMs) * (0.5 + Math.random() / 2);
}
