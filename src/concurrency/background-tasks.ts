/** Work that goes on in the background, and can be waited for. */
export interface BackgroundTasks {
  start(work: () => Promise<void>): void;
  /** Waits for all tasks. */
  ended(): Promise<void>;
}

/** @param onError called with what a task throws */
export function createBackgroundTasks(onError: (error: unknown) => void): BackgroundTasks {
  const running = new Set<Promise<void>>();
  return {
    start(work) {
      const task = work()
        .catch(onError)
        .finally(() => running.delete(task));
      running.add(task);
    },
    async ended() {
      await Promise.all(running);
    },
  };
}
