import type { Clock } from './clock.ts';

/** A clock whose wall time is that of a server. */
export interface ServerClock extends Clock {
  /**
   * Adjusts the wall time to a response.
   * @param date its `Date` header, in whole seconds; ignored if absent or malformed
   * @param sentAt when the request was sent, on the monotonic clock
   */
  onResponse(date: string | undefined, sentAt: number): void;
}

/** Precision of a `Date` header. */
const SECOND_MS = 1_000;

/**
 * Takes the wall time from the responses of a server, so that nodes agree on the order of events, whatever their own clocks say. Each response bounds the
 * difference between the server's time and the monotonic clock; together they make it known to a fraction of a second. Before the first response, the wall
 * time is the node's.
 */
export function createServerClock(clock: Clock): ServerClock {
  let bounds: readonly [low: number, high: number] | undefined;

  return {
    ...clock,
    wallNow() {
      return bounds === undefined ? clock.wallNow() : clock.now() + (bounds[0] + bounds[1]) / 2;
    },
    onResponse(date, sentAt) {
      const time = Date.parse(date ?? '');
      if (Number.isNaN(time)) {
        return;
      }
      const [low, high] = [time - clock.now(), time + SECOND_MS - sentAt];
      const [knownLow, knownHigh] = bounds ?? [low, high];
      const both = [Math.max(low, knownLow), Math.min(high, knownHigh)] as const;
      // Contradictory bounds: one of the two clocks was set, or has drifted.
      bounds = both[0] <= both[1] ? both : [low, high];
    },
  };
}
