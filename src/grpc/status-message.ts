import type { ProviderError } from '../model/errors.ts';

/** Maximum length of the percent-encoded message in its HTTP/2 header. If headers are too long, the peer closes the connection with all its calls. */
const MAX_ENCODED = 4096;

const MORE = "more problems, see the provider's log";

/** The message for the driver: as many problems as fit, and the number of the others. */
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
    // The first problem is always included, shortened if necessary.
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

/** Shortens a text to this encoded length, with "…" at the end. */
export function fitting(text: string, maxEncoded: number): string {
  // Every character takes at least one byte.
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

/** Encodes like grpc-js, which escapes more than necessary. */
function encodedLength(text: string): number {
  return encodeURI(text.toWellFormed()).length;
}
