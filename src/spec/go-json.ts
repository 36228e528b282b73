/**
 * JSON as Go's encoding/json reads and writes it. Objects are Maps, so no key ("__proto__") is special.
 */
export type GoJson = null | boolean | number | string | readonly GoJson[] | GoJsonObject;
export type GoJsonObject = ReadonlyMap<string, GoJson>;

/** Deeper documents are refused: what walks them is recursive. Go stops at 10,000. */
const MAX_DEPTH = 500;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export type GoJsonResult =
  | { readonly ok: true; readonly value: GoJson }
  /** Why not, without a character of the text: it may be a secret. */
  | { readonly ok: false; readonly reason: string };

/** Reads a text; the last of equal keys wins, lone surrogates become U+FFFD. Never throws. */
export function parseGoJson(text: string): GoJsonResult {
  if (nestsTooDeep(text)) {
    return { ok: false, reason: `it nests more than ${MAX_DEPTH} levels deep` };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { ok: false, reason: text.trim() === '' ? 'it is empty' : 'it is not valid JSON' };
  }
  const value = fromParsed(parsed);
  return value === undefined ? { ok: false, reason: 'it holds a number too large for a float64' } : { ok: true, value };
}

function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (quoted) {
      if (unit === BACKSLASH) {
        at += 1;
      } else if (unit === QUOTE) {
        quoted = false;
      }
    } else if (unit === QUOTE) {
      quoted = true;
    } else if (unit === 0x5b || unit === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) {
        return true;
      }
    } else if (unit === 0x5d || unit === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}

/** @returns undefined where Go would refuse a number as out of range */
function fromParsed(parsed: unknown): GoJson | undefined {
  if (typeof parsed === 'string') {
    return parsed.toWellFormed();
  }
  if (typeof parsed === 'number') {
    return Number.isFinite(parsed) ? parsed : undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) {
    return typeof parsed === 'boolean' ? parsed : null;
  }
  if (Array.isArray(parsed)) {
    const items: GoJson[] = [];
    for (const item of parsed) {
      const value = fromParsed(item);
      if (value === undefined) {
        return undefined;
      }
      items.push(value);
    }
    return items;
  }
  const entries = new Map<string, GoJson>();
  for (const [key, item] of Object.entries(parsed)) {
    const value = fromParsed(item);
    if (value === undefined) {
      return undefined;
    }
    entries.set(key.toWellFormed(), value);
  }
  return entries;
}

export function isGoJsonObject(value: unknown): value is GoJsonObject {
  return value instanceof Map;
}

/** Order of Go's strings, which are UTF-8: by code point, where JavaScript's `<` goes by UTF-16 unit. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at += 1) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a !== b) {
      return surrogatesLast(a) - surrogatesLast(b);
    }
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above every other unit. */
function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * `json.Marshal`: keys sorted, no spaces, `<`, `>`, `&` and the two line separators escaped.
 * @param spend is told of each piece's length as it is written, and may throw to stop
 */
export function formatGoJson(value: GoJson, spend: (length: number) => void): string {
  if (typeof value === 'string') {
    return formatString(value, spend);
  }
  if (typeof value === 'number') {
    // Both write the shortest digits, with an exponent below 1e-6 and from 1e21; but JSON.stringify drops the sign of -0.
    const text = Object.is(value, -0) ? '-0' : JSON.stringify(value);
    spend(text.length);
    return text;
  }
  if (value === null || typeof value === 'boolean') {
    spend(5);
    return String(value);
  }
  spend(2);
  if (isGoJsonObject(value)) {
    const entries = [...value].toSorted(([left], [right]) => compareText(left, right));
    return `{${entries.map(([key, item]) => `${formatString(key, spend)}:${formatGoJson(item, spend)}`).join(',')}}`;
  }
  return `[${value.map((item) => formatGoJson(item, spend)).join(',')}]`;
}

function formatString(text: string, spend: (length: number) => void): string {
  spend(text.length + 2);
  return JSON.stringify(text).replaceAll(
    /[<>&\u2028\u2029]/g,
    (special) => `\\u${special.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
