import type { ProviderError } from '../model/errors.ts';

/** Of the message as it travels, percent-encoded in an HTTP/2 header: a peer that finds the headers too long ends the connection, with all calls on it. */
const MAX_ENCODED = 4096;

const MORE = "more problems, see the provider's log";

/** What of a failure the driver is told: as many problems as fit, and how many do not. */
export function statusMessage({
  message,
  problems,
  problemCount,
}: Pick<ProviderError, 'message' | 'problems' | 'problemCount'>): string {
  if (problemCount === problems.length && encodedLength(message) <= MAX_ENCODED) {
    return message;
  }
  return problemCount === 1 ? fitting(message, MAX_ENCODED) : asManyAsFit(problems, problemCount);
}

function asManyAsFit(problems: readonly string[], count: number): string {
  const lines: string[] = [];
  const head = `${count} problems: `;
  let left = MAX_ENCODED - encodedLength(`${head}… and ${count} ${MORE}`);
  for (const [index, problem] of problems.entries()) {
    const line = `(${index + 1}) ${problem}; `;
    // The first is said in any case, as far as it goes.
    const said = lines.length === 0 ? fitting(line, left) : line;
    left -= encodedLength(said);
    if (left < 0) {
      break;
    }
    lines.push(said);
  }
  const rest = count - lines.length;
  return `${head}${lines.join('')}${rest > 0 ? `… and ${rest} ${MORE}` : ''}`.replace(/; $/, '');
}

/** The text, or as many of its characters as fit with a "…". */
export function fitting(text: string, maxEncoded: number): string {
  // Every character takes one byte at least.
  const wellFormed = text.slice(0, maxEncoded + 1).toWellFormed();
  if (text.length <= maxEncoded && encodedLength(wellFormed) <= maxEncoded) {
    return wellFormed;
  }
  let left = maxEncoded - encodedLength('…');
  let said = '';
  for (const character of wellFormed) {
    left -= encodedLength(character);
    if (left < 0) {
      break;
    }
    said += character;
  }
  return `${said}…`;
}

/** As grpc-js encodes, which escapes more than it must. */
function encodedLength(text: string): number {
  return encodeURI(text.toWellFormed()).length;
}
