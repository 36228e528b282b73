/**
 * Reads and writes JSON like Go's encoding/json. Objects have no prototype, so that no key ("__proto__") is special.
 */
export type GoJson = null | boolean | number | string | readonly GoJson[] | GoJsonObject;
export interface GoJsonObject {
  readonly [key: string]: GoJson;
}

/** Deeper documents are refused, because the code that walks them is recursive. Go's limit is 10,000. */
const MAX_DEPTH = 500;

export type GoJsonResult =
  | { readonly ok: true; readonly value: GoJson }
  /** The problem, without any part of the text, which may be a secret. */
  | { readonly ok: false; readonly reason: string };

/** Parses a text. The last of equal keys wins, and lone surrogates become U+FFFD. Never throws. */
export function parseGoJson(text: string): GoJsonResult {
  try {
    return { ok: true, value: fromParsed(JSON.parse(text), MAX_DEPTH) };
  } catch (error) {
    if (error instanceof RefusedJson) {
      return { ok: false, reason: error.message };
    }
    return { ok: false, reason: text.trim() === '' ? 'it is empty' : 'it is not valid JSON' };
  }
}

class RefusedJson extends Error {}

/** Keys are sorted, because a rewritten secret may have them in another order. */
function fromParsed(parsed: unknown, depthLeft: number): GoJson {
  if (typeof parsed === 'string') {
    return parsed.toWellFormed();
  }
  if (typeof parsed === 'number' && !Number.isFinite(parsed)) {
    throw new RefusedJson('it has a number too large for a float64');
  }
  if (typeof parsed !== 'object' || parsed === null) {
    return parsed as GoJson;
  }
  if (depthLeft === 0) {
    throw new RefusedJson(`it nests more than ${MAX_DEPTH} levels deep`);
  }
  if (Array.isArray(parsed)) {
    return parsed.map((item) => fromParsed(item, depthLeft - 1));
  }
  const object: { [key: string]: GoJson } = Object.create(null);
  const entries = Object.entries(parsed).map(([key, item]): [string, unknown] => [key.toWellFormed(), item]);
  for (const [key, item] of entries.toSorted(([left], [right]) => compareText(left, right))) {
    object[key] = fromParsed(item, depthLeft - 1);
  }
  return object;
}

export function isGoJsonObject(value: GoJson | undefined): value is GoJsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Compares like Go, whose strings are UTF-8: by code point. JavaScript's `<` compares UTF-16 units. */
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

/** Surrogates represent code points above those of all other units. */
function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * `json.Marshal`: keys sorted, no spaces, `<`, `>`, `&` and the two line separators escaped.
 * @param spend called with the length of each piece that is written; may throw to stop
 */
export function formatGoJson(value: GoJson, spend: (length: number) => void): string {
  if (typeof value === 'object' && value !== null) {
    spend(2);
    if (!isGoJsonObject(value)) {
      return `[${value.map((item) => formatGoJson(item, spend)).join(',')}]`;
    }
    // Sorting the keys takes longer than writing them.
    spend(8 * Object.keys(value).length);
    const entries = Object.entries(value).toSorted(([left], [right]) => compareText(left, right));
    return `{${entries.map(([key, item]) => `${formatGoJson(key, spend)}:${formatGoJson(item, spend)}`).join(',')}}`;
  }
  // Both write a number's shortest digits, with an exponent below 1e-6 and from 1e21; but JSON.stringify drops the sign of -0.
  const text = Object.is(value, -0) ? '-0' : (JSON.stringify(value) ?? 'null');
  spend(text.length + 1);
  return text.replaceAll(
    /[<>&\u2028\u2029]/g,
    (special) => `\\u${special.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
