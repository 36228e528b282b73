import { setTimeout as delay } from 'node:timers/promises';

/** Whether work ends in time; it goes on either way. What it throws, it throws here too. */
export async function endsWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  try {
    return await Promise.race([work.then(() => true), delay(ms, false, { signal: timer.signal })]);
  } finally {
    timer.abort();
  }
}
