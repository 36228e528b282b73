import { type GoJson, parseGoJson } from './go-json.ts';

export interface Token {
  /** identifier, quoted, literal, number or end; an operator is its own kind. */
  readonly kind: string;
  /** A name, decoded, or an operator or number as written. */
  readonly text: string;
  readonly value: GoJson;
  /** UTF-16 units from the start of the expression. */
  readonly offset: number;
}

/** Thrown by lexer and parser, and caught by `parseJmesPath`. */
export class JmesPathFailure extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export const QUOTE_NAMES = `a name that holds anything but letters, digits and "_" must be quoted, as in '"a-b"'`;

/** @returns at least the end token */
export function tokenize(expression: string): readonly Token[] {
  /** In a raw string only `\'` is an escape; in the other two a backslash keeps the next character from ending them. */
  const pattern =
    /(?<space>[ \t\n\r]+)|(?<identifier>[A-Za-z_][A-Za-z0-9_]*)|(?<number>-[0-9]*|[0-9]+)|(?<quoted>"(?:\\[^]|[^"\\])*")|(?<raw>'(?:\\'|\\(?!')|[^'\\])*')|(?<literal>`(?:\\[^]|[^`\\])*`)|(?<operator>\|\||&&|[<>!=]=|\[\?|\[\]|[.*,:{}\][()@|<>!&])/y;
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < expression.length) {
    pattern.lastIndex = offset;
    const match = pattern.exec(expression);
    if (match?.groups === undefined) {
      throw unreadable(expression, offset);
    }
    const token = tokenOf(match.groups, offset);
    if (token !== undefined) {
      tokens.push(token);
    }
    offset += match[0].length;
  }
  tokens.push({ kind: 'end', text: '', value: null, offset });
  return tokens;
}

function tokenOf(groups: { readonly [kind: string]: string | undefined }, offset: number): Token | undefined {
  const { identifier, number, quoted, raw, literal, operator } = groups;
  if (identifier !== undefined) {
    return { kind: 'identifier', text: identifier, value: null, offset };
  }
  if (number !== undefined) {
    return { kind: 'number', text: number, value: null, offset };
  }
  if (operator !== undefined) {
    return { kind: operator, text: operator, value: null, offset };
  }
  if (quoted !== undefined) {
    const name = readLiteral(quoted, 'the quoted name is not a JSON string', offset);
    return { kind: 'quoted', text: typeof name === 'string' ? name : '', value: null, offset };
  }
  if (raw !== undefined) {
    return { kind: 'literal', text: raw, value: raw.slice(1, -1).replaceAll("\\'", "'"), offset };
  }
  if (literal !== undefined) {
    const json = literal.slice(1, -1).replaceAll('\\`', '`');
    return {
      kind: 'literal',
      text: literal,
      value: readLiteral(json, 'the text between ` is not JSON', offset),
      offset,
    };
  }
  return undefined;
}

function readLiteral(json: string, message: string, offset: number): GoJson {
  const result = parseGoJson(json);
  if (!result.ok) {
    throw new JmesPathFailure(message, offset);
  }
  return result.value;
}

function unreadable(expression: string, offset: number): JmesPathFailure {
  const char = String.fromCodePoint(expression.codePointAt(offset) ?? 0);
  return ['"', "'", '`'].includes(char)
    ? new JmesPathFailure(`${char} is never closed`, offset)
    : new JmesPathFailure(`${JSON.stringify(char)} is not part of the language: ${QUOTE_NAMES}`, offset);
}
