/** A mutex per key: first come, first served. Different keys do not wait for each other. */
export interface KeyedLock {
  /** Number of keys that are locked. */
  readonly size: number;
  withLock<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createKeyedLock(): KeyedLock {
  const lastByKey = new Map<string, Promise<void>>();
  return {
    get size() {
      return lastByKey.size;
    },
    async withLock(key, work) {
      const before = lastByKey.get(key);
      const { promise: done, resolve: release } = Promise.withResolvers<void>();
      lastByKey.set(key, done);
      await before;
      try {
        return await work();
      } finally {
        release();
        if (lastByKey.get(key) === done) {
          lastByKey.delete(key);
        }
      }
    },
  };
}
