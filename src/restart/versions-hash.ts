import { createHash } from 'node:crypto';

/** Does not depend on the order of the entries. Keys must be unique. @returns 16 hexadecimal digits of a SHA-256 */
export function hashOf(entries: Iterable<readonly [string, string]>): string {
  const sorted = [...entries].toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}
