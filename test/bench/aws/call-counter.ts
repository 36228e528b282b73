export interface Counts {
  /** Calls by action, the refused ones too. */
  readonly calls: Readonly<Record<string, number>>;
  /** How many of them were throttled, and how many denied. */
  readonly throttled: number;
  readonly denied: number;
}

export interface CallCounter {
  count(action: string): void;
  countRefusal(kind: 'throttled' | 'denied'): void;
  read(): Counts;
  reset(): void;
}

export function createCallCounter(): CallCounter {
  const calls = new Map<string, number>();
  const refusals = { throttled: 0, denied: 0 };
  return {
    count(action) {
      calls.set(action, (calls.get(action) ?? 0) + 1);
    },
    countRefusal(kind) {
      refusals[kind] += 1;
    },
    read: () => ({ calls: Object.fromEntries(calls), ...refusals }),
    reset() {
      calls.clear();
      refusals.throttled = 0;
      refusals.denied = 0;
    },
  };
}
