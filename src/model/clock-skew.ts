/** How far clocks of nodes may be apart. */
const TOLERANCE_MS = 60_000;

/**
 * Whether a time that another node has written down may be true: what lies further in the future was written by a clock that jumped.
 * @param time and `now`: wall clock in milliseconds; NaN is no time
 */
export function isCredible(time: number, now: number): boolean {
  return time <= now + TOLERANCE_MS;
}
