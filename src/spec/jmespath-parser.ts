import type { GoJson } from './go-json.ts';
import { JmesPathFailure, QUOTE_NAMES, type Token, tokenize } from './jmespath-lexer.ts';

/**
 * A JMESPath expression, read as go-jmespath 0.4.0 reads it: the specification of 2015, with that library's binding powers
 * and its leniency about commas. No JavaScript library read all of these the same.
 */
export type Expression =
  | { readonly kind: 'current' }
  | { readonly kind: 'literal'; readonly value: GoJson }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly at: number }
  | { readonly kind: 'slice'; readonly parts: readonly (number | undefined)[] }
  /** `.`, `|` and `[0]`: the right side sees what the left side gives. */
  | { readonly kind: 'then'; readonly left: Expression; readonly right: Expression }
  /** The right side sees each item of the left; nulls are dropped. */
  | { readonly kind: 'project' | 'project-values'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'filter'; readonly left: Expression; readonly condition: Expression; readonly right: Expression }
  | { readonly kind: 'flatten'; readonly of: Expression }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [string, Expression])[] }
  | { readonly kind: 'or' | 'and'; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'compare'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  /** `&expression`, for functions that apply it to each item. */
  | { readonly kind: 'reference'; readonly to: Expression }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly Expression[] };

export type JmesPathResult =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly message: string; readonly offset: number };

const MAX_LENGTH = 4096;
const MAX_DEPTH = 100;

const CURRENT: Expression = { kind: 'current' };
const COMPARATORS: readonly string[] = ['==', '!=', '<', '<=', '>', '>='];

/** How tightly a token binds what is on its left; what is not listed binds nothing. */
const POWER: ReadonlyMap<string, number> = new Map([
  ['|', 1],
  ['||', 2],
  ['&&', 3],
  ...COMPARATORS.map((operator): [string, number] => [operator, 5]),
  ['[]', 9],
  ['*', 20],
  ['[?', 21],
  ['.', 40],
  ['!', 45],
  ['{', 50],
  ['[', 55],
  ['(', 60],
]);
/** Tokens that bind less than this end a projection. */
const PROJECTION_STOP = 10;

/** Reads any text whatever; never throws. */
export function parseJmesPath(text: string): JmesPathResult {
  if (text.length > MAX_LENGTH) {
    return { ok: false, message: `it is longer than ${MAX_LENGTH} characters`, offset: MAX_LENGTH };
  }
  try {
    return { ok: true, expression: parseTokens(tokenize(text)) };
  } catch (error) {
    if (error instanceof JmesPathFailure) {
      return { ok: false, message: error.message, offset: error.offset };
    }
    throw error;
  }
}

function parseTokens(tokens: readonly Token[]): Expression {
  let next = 0;
  let depth = 0;

  const result = parse(0);
  if (peek().kind !== 'end') {
    throw unexpected(peek());
  }
  return result;

  function peek(ahead = 0): Token {
    return tokens[Math.min(next + ahead, tokens.length - 1)] ?? { kind: 'end', text: '', value: null, offset: 0 };
  }

  function take(): Token {
    const token = peek();
    next += 1;
    return token;
  }

  function expect(kind: string): Token {
    const token = take();
    if (token.kind !== kind) {
      throw unexpected(token, kind);
    }
    return token;
  }

  /** A Pratt parser: `first` reads what stands alone, `after` what needs a left side. */
  function parse(power: number): Expression {
    depth += 1;
    if (depth > MAX_DEPTH) {
      throw new JmesPathFailure(`it nests more than ${MAX_DEPTH} levels deep`, peek().offset);
    }
    let left = first(take());
    while (power < powerOf(peek())) {
      left = after(left, take());
    }
    depth -= 1;
    return left;
  }

  function first(token: Token): Expression {
    switch (token.kind) {
      case 'literal':
        return { kind: 'literal', value: token.value };
      case 'identifier':
        return { kind: 'field', name: token.text };
      case 'quoted':
        if (peek().kind === '(') {
          throw new JmesPathFailure('the name of a function cannot be quoted', token.offset);
        }
        return { kind: 'field', name: token.text };
      case '@':
        return CURRENT;
      case '*':
        return {
          kind: 'project-values',
          left: CURRENT,
          right: peek().kind === ']' ? CURRENT : projected(powerOf(token)),
        };
      case '[]':
        return { kind: 'project', left: { kind: 'flatten', of: CURRENT }, right: projected(powerOf(token)) };
      case '[?':
        return filter(CURRENT);
      case '[':
        return bracketed();
      case '{':
        return objectEntries();
      case '&':
        return { kind: 'reference', to: parse(0) };
      case '!':
        return { kind: 'not', of: parse(powerOf(token)) };
      case '(': {
        const inner = parse(0);
        expect(')');
        return inner;
      }
      default:
        throw unexpected(token);
    }
  }

  function after(left: Expression, token: Token): Expression {
    switch (token.kind) {
      case '.':
        if (peek().kind === '*') {
          take();
          return { kind: 'project-values', left, right: projected(powerOf(token)) };
        }
        return { kind: 'then', left, right: member(powerOf(token)) };
      case '|':
        return { kind: 'then', left, right: parse(powerOf(token)) };
      case '||':
        return { kind: 'or', left, right: parse(powerOf(token)) };
      case '&&':
        return { kind: 'and', left, right: parse(powerOf(token)) };
      case '[]':
        return { kind: 'project', left: { kind: 'flatten', of: left }, right: projected(powerOf(token)) };
      case '[?':
        return filter(left);
      case '[':
        if (startsIndex()) {
          return index(left);
        }
        expect('*');
        expect(']');
        return { kind: 'project', left, right: projected(powerOf({ kind: '*' })) };
      case '(':
        if (left.kind !== 'field') {
          throw unexpected(token);
        }
        return { kind: 'call', name: left.name, arguments: callArguments() };
      default:
        if (COMPARATORS.includes(token.kind)) {
          return { kind: 'compare', operator: token.kind, left, right: parse(powerOf(token)) };
        }
        throw unexpected(token);
    }
  }

  /** `[` without a left side: an index, a projection, or a list of expressions. */
  function bracketed(): Expression {
    if (startsIndex()) {
      return index(CURRENT);
    }
    if (peek().kind === '*' && peek(1).kind === ']') {
      take();
      take();
      return { kind: 'project', left: CURRENT, right: projected(powerOf({ kind: '*' })) };
    }
    return listItems();
  }

  function startsIndex(): boolean {
    return peek().kind === 'number' || peek().kind === ':';
  }

  function index(left: Expression): Expression {
    if (peek().kind === ':' || peek(1).kind === ':') {
      const right: Expression = { kind: 'slice', parts: sliceParts() };
      return { kind: 'project', left: { kind: 'then', left, right }, right: projected(powerOf({ kind: '*' })) };
    }
    const at = integer(take());
    expect(']');
    return { kind: 'then', left, right: { kind: 'index', at } };
  }

  function sliceParts(): readonly (number | undefined)[] {
    const parts: (number | undefined)[] = [undefined, undefined, undefined];
    let part = 0;
    while (peek().kind !== ']' && part < parts.length) {
      const token = take();
      if (token.kind === ':') {
        part += 1;
      } else if (token.kind === 'number') {
        parts[part] = integer(token);
      } else {
        throw unexpected(token, ']');
      }
    }
    expect(']');
    return parts;
  }

  function filter(left: Expression): Expression {
    const condition = parse(0);
    expect(']');
    const right = peek().kind === '[]' ? CURRENT : projected(powerOf({ kind: '[?' }));
    return { kind: 'filter', left, condition, right };
  }

  /** What is done with each item of a projection. */
  function projected(power: number): Expression {
    const token = peek();
    if (powerOf(token) < PROJECTION_STOP) {
      return CURRENT;
    }
    if (token.kind === '[' || token.kind === '[?') {
      return parse(power);
    }
    expect('.');
    return member(power);
  }

  /** What may stand behind a `.`. */
  function member(power: number): Expression {
    const { kind } = peek();
    if (kind === 'quoted' || kind === 'identifier' || kind === '*') {
      return parse(power);
    }
    const token = take();
    if (token.kind === '[') {
      return listItems();
    }
    if (token.kind === '{') {
      return objectEntries();
    }
    throw unexpected(token);
  }

  function listItems(): Expression {
    const items = [parse(0)];
    while (peek().kind !== ']') {
      expect(',');
      items.push(parse(0));
    }
    expect(']');
    return { kind: 'list', items };
  }

  function objectEntries(): Expression {
    const entries: (readonly [string, Expression])[] = [];
    let more = true;
    while (more) {
      const key = take();
      if (key.kind !== 'identifier' && key.kind !== 'quoted') {
        throw unexpected(key, 'a name');
      }
      expect(':');
      entries.push([key.text, parse(0)]);
      more = skipComma() || peek().kind !== '}';
    }
    expect('}');
    return { kind: 'object', entries };
  }

  function callArguments(): readonly Expression[] {
    const given: Expression[] = [];
    while (peek().kind !== ')') {
      given.push(parse(0));
      skipComma();
    }
    expect(')');
    return given;
  }

  function skipComma(): boolean {
    const skips = peek().kind === ',';
    next += skips ? 1 : 0;
    return skips;
  }
}

function powerOf(token: Pick<Token, 'kind'>): number {
  return POWER.get(token.kind) ?? 0;
}

function integer(token: Token): number {
  const value = /^-?[0-9]+$/.test(token.text) ? Number(token.text) : Number.NaN;
  if (!(Math.abs(value) < 2 ** 63)) {
    throw unexpected(token, 'a whole number');
  }
  return value;
}

function unexpected(token: Token, wanted?: string): JmesPathFailure {
  const found = token.kind === 'end' ? 'it ends' : `${JSON.stringify(token.text)} stands`;
  const instead = wanted === undefined ? 'where that makes no sense' : `where ${wanted} should`;
  const hint = token.text.startsWith('-') ? `: ${QUOTE_NAMES}` : '';
  return new JmesPathFailure(`${found} ${instead}${hint}`, token.offset);
}
