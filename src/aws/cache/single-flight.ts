/** Calls in flight, by key: a caller that needs a key that is already being fetched waits for that call. */
export interface SingleFlight<Result> {
  /**
   * Calls `ask` once for all keys that are not in flight, and waits for the results of all keys.
   * @param ask must end by itself and not throw; a key that it omits has no result
   */
  join<Question>(
    questions: ReadonlyMap<string, Question>,
    ask: (unasked: ReadonlyMap<string, Question>) => Promise<ReadonlyMap<string, Result>>,
  ): Promise<ReadonlyMap<string, Result>>;
  /** Waits for the calls in flight for these keys. */
  settled(keys: Iterable<string>): Promise<void>;
}

export function createSingleFlight<Result>(): SingleFlight<Result> {
  const inFlight = new Map<string, Promise<ReadonlyMap<string, Result>>>();

  function callsFor(keys: Iterable<string>) {
    return new Set(Array.from(keys, (key) => inFlight.get(key)).filter((flight) => flight !== undefined));
  }

  return {
    async join(questions, ask) {
      const unasked = new Map([...questions].filter(([key]) => !inFlight.has(key)));
      if (unasked.size > 0) {
        const answers = ask(unasked).finally(() => {
          for (const key of unasked.keys()) {
            inFlight.delete(key);
          }
        });
        for (const key of unasked.keys()) {
          inFlight.set(key, answers);
        }
      }
      const settled = await Promise.all(callsFor(questions.keys()));
      return new Map(settled.flatMap((answers) => [...answers]));
    },
    async settled(keys) {
      await Promise.allSettled(callsFor(keys));
    },
  };
}
