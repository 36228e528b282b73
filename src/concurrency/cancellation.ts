import type { Clock } from './clock.ts';

/** Aborts with the signal, or after this time with a DOMException named TimeoutError. */
export function withTimeout(clock: Clock, ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, clock.timeout(ms)]);
}

/** Waits for work, but not for longer than this. The work is not stopped. @returns whether it ended in time. @throws what the work throws */
export async function endsWithin(work: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([work.then(() => true), clock.sleep(ms, timer.signal).then(() => false)]);
  } finally {
    timer.abort();
  }
}

/** Waits for work until the signal aborts. The work is not stopped. @throws the signal's reason, or what the work throws */
export async function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  using _ = onAbort(signal, () => reject(signal.reason));
  return await Promise.race([aborted, work]);
}

/** Calls back once when the signal aborts, or now if it has already, until it is disposed of. */
export function onAbort(signal: AbortSignal, abort: () => void): Disposable {
  if (signal.aborted) {
    abort();
  }
  signal.addEventListener('abort', abort, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', abort) };
}
