import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly everyMs?: number;
}

/**
 * Repeats a query until the result is neither `undefined` nor `false`, and returns it. An exception counts as "not yet".
 * Throws with the last exception as its cause when the time is up.
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: WaitOptions,
): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) {
        return answer;
      }
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const because = last instanceof Error ? `: ${last.message}` : '';
      throw new Error(`${what}: not so after ${options.timeoutMs / 1000} s${because}`, { cause: last });
    }
    await sleep(options.everyMs ?? 100);
  }
}
