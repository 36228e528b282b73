/** Maximum difference between the clocks of two nodes. */
const TOLERANCE_MS = 60_000;

/**
 * Whether a time that another node recorded is plausible. A time further in the future comes from a wrong clock.
 * @param time and `now`: wall clock in milliseconds; NaN is not plausible
 */
export function isCredible(time: number, now: number): boolean {
  return time <= now + TOLERANCE_MS;
}
