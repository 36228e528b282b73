/** Rates as AWS counts them: what is saved up in quiet times, at most a second's worth, may be spent at once. */
export interface TokenBuckets {
  /** Whether a call may go through now, at `rate` calls a second. */
  take(key: string, rate: number): boolean;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** @param now milliseconds on a clock that never goes back */
export function createTokenBuckets(now: () => number = () => performance.now()): TokenBuckets {
  const buckets = new Map<string, Bucket>();
  return {
    take(key, rate) {
      const time = now();
      const bucket = buckets.get(key) ?? { tokens: rate, filledAt: time };
      buckets.set(key, bucket);
      bucket.tokens = Math.min(rate, bucket.tokens + ((time - bucket.filledAt) / 1_000) * rate);
      bucket.filledAt = time;
      if (bucket.tokens < 1) {
        return false;
      }
      bucket.tokens -= 1;
      return true;
    },
  };
}
