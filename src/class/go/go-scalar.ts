import { quote } from '../../text/quote.ts';

/**
 * Converts a YAML scalar to text like Go's sigs.k8s.io/yaml: go-yaml v2 guesses a type (YAML 1.1), and for a string field the value is formatted as text
 * again. So `0644` is "420", `yes` is "true", `1e3` is "1000".
 */
export type ScalarResult =
  /** null: the scalar is null. */
  { readonly ok: true; readonly text: string | null } | { readonly ok: false; readonly reason: string };

interface Guess {
  readonly type: 'null' | 'bool' | 'int' | 'float' | 'str';
  readonly text: string | null;
}

const TAG_PREFIX = 'tag:yaml.org,2002:';
const WORDS: ReadonlyMap<string, Guess> = new Map([
  ...words('null', null, ['', '~', 'null', 'Null', 'NULL']),
  ...words('bool', 'true', ['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON']),
  ...words('bool', 'false', ['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF']),
  ...words('float', '+Inf', ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']),
  ...words('float', '-Inf', ['-.inf', '-.Inf', '-.INF']),
  ...words('float', 'NaN', ['.nan', '.NaN', '.NAN']),
]);
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * @param text the scalar, unquoted and unfolded
 * @param plain written without quotes and not as a block
 * @param tag its explicit tag in long form, if it has one
 */
export function scalarText(text: string, plain: boolean, tag: string | undefined): ScalarResult {
  if (tag === undefined) {
    return { ok: true, text: plain ? guess(text).text : text };
  }
  const wanted = tag.startsWith(TAG_PREFIX) ? tag.slice(TAG_PREFIX.length) : '';
  if (wanted === 'binary') {
    return decodeBase64(text);
  }
  if (!['null', 'bool', 'int', 'float'].includes(wanted)) {
    return { ok: true, text };
  }
  const guessed = guess(text);
  if (guessed.type === 'int' && wanted === 'float') {
    return { ok: true, text: formatFloat32(Number(guessed.text)) };
  }
  return guessed.type === wanted
    ? { ok: true, text: guessed.text }
    : { ok: false, reason: `${quote(text)} is not what its tag !!${wanted} says` };
}

function words(type: Guess['type'], text: string | null, spellings: readonly string[]): readonly [string, Guess][] {
  return spellings.map((spelling) => [spelling, { type, text }]);
}

function guess(text: string): Guess {
  const word = WORDS.get(text);
  if (word !== undefined) {
    return word;
  }
  // Digits may be grouped (1_000): anywhere, but after a leading point only between digits.
  const digits = text.replaceAll(/^[-+0-9]/.test(text) ? /_/g : /(?<=[0-9])_(?=[0-9])/g, '');
  return guessInteger(digits) ?? guessFloat(digits) ?? { type: 'str', text };
}

function guessInteger(text: string): Guess | undefined {
  const match = INTEGER.exec(text);
  if (match === null) {
    return undefined;
  }
  const [, sign = '', hex, binary, octal, decimal = '0'] = match;
  const size = BigInt(
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : decimal,
  );
  const value = sign === '-' ? -size : size;
  const fits = value >= MIN_INT64 && value <= (sign === '' ? MAX_UINT64 : MAX_INT64);
  return fits ? { type: 'int', text: value.toString() } : undefined;
}

function guessFloat(text: string): Guess | undefined {
  const value = FLOAT.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? { type: 'float', text: formatFloat32(value) } : undefined;
}

/** Go's `strconv.FormatFloat(value, 'g', -1, 32)`, with which sigs.k8s.io/yaml formats floats. */
function formatFloat32(value: number): string {
  const single = Math.fround(value);
  if (!Number.isFinite(single)) {
    return single > 0 ? '+Inf' : '-Inf';
  }
  const sign = Object.is(single, -0) || single < 0 ? '-' : '';
  const [mantissa = '0', exponentText = '0'] = shortest(Math.abs(single)).split('e');
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  return sign + Number(`${mantissa}e${exponent}`).toString();
}

/** Fewest digits that read back as the same 32-bit float, in exponent form. */
function shortest(single: number): string {
  for (let digits = 0; digits < 8; digits += 1) {
    const text = single.toExponential(digits);
    if (Math.fround(Number(text)) === single) {
      return text;
    }
  }
  return single.toExponential(8);
}

/** `!!binary`: bytes that are not UTF-8 become U+FFFD on their way through JSON. */
function decodeBase64(text: string): ScalarResult {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    return { ok: true, text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) };
  } catch {
    return { ok: false, reason: 'its !!binary text is not base64' };
  }
}
