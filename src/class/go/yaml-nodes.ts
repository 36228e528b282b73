import { Composer, type CST, type Document, Lexer, type Node, Parser } from 'yaml';
import type { Steps } from '../../concurrency/time-slices.ts';

/** Why a text cannot be read. Caught in `readYaml`. */
export class YamlFailure extends Error {
  /** UTF-16 units from the start of the document. */
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

const MAX_LENGTH = 128 * 1024;
const MAX_DEPTH = 50;
/** Names, texts, signs, spaces and line ends: 2,500 entries have about 50,000. Composing them, which is one step, takes less than 50 ms. */
const MAX_LEXEMES = 80_000;
/** After so many, other work may run. */
const LEXEMES_PER_STEP = 256;
/** Outside the document: directives, and comments before and after it. */
const MAX_TOP_TOKENS = 20_000;

/** Characters that libyaml refuses, and those that are line breaks for libyaml but not for this parser. */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * The first document of a text, as the parser's nodes.
 * @returns null for a text without a document, or with an empty one
 * @throws YamlFailure
 */
export function* composeYaml(text: string): Steps<Node | null> {
  const source = checkedSource(text);
  const composer = newComposer();
  let tokens = 0;
  let documents = 0;
  for (const token of tokensOf(source)) {
    if (token === undefined) {
      yield;
      continue;
    }
    tokens += 1;
    documents += token.type === 'document' ? 1 : 0;
    if (documents > 1 || (documents === 1 && token.type === 'directive')) {
      break;
    }
    if (tokens > MAX_TOP_TOKENS) {
      throw new YamlFailure(`it has more than ${MAX_TOP_TOKENS} comments and directives`, 0);
    }
    if (token.type === 'error') {
      throw new YamlFailure(shorten(`${token.message}: ${JSON.stringify(token.source)}`), token.offset);
    }
    for (const document of composer.next(token)) {
      return contentsOf(document);
    }
  }
  yield;
  for (const document of composer.end()) {
    return contentsOf(document);
  }
  return null;
}

function contentsOf({ errors, contents }: Document.Parsed): Node | null {
  const [error] = errors;
  if (error !== undefined) {
    throw new YamlFailure(shorten(error.message), error.pos[0]);
  }
  return contents;
}

function checkedSource(text: string): string {
  if (text.length > MAX_LENGTH) {
    throw new YamlFailure(`it is ${text.length} characters long, more than the ${MAX_LENGTH} allowed`, 0);
  }
  // A lone CR breaks a line in YAML 1.1, but not for this parser.
  const source = text.replace(/^\ufeff/, '').replaceAll(/\r(?!\n)/g, '\n');
  const forbidden = FORBIDDEN.exec(source);
  if (forbidden !== null) {
    const code = forbidden[0].codePointAt(0) ?? 0;
    throw new YamlFailure(
      `the character U+${code.toString(16).toUpperCase().padStart(4, '0')} is not allowed`,
      forbidden.index,
    );
  }
  return source;
}

/**
 * A composer that stops at the first error. By default it continues, and an error takes it longer than any other content of the same length.
 */
function newComposer(): Composer {
  const composer = new Composer({
    schema: 'failsafe',
    resolveKnownTags: false,
    strict: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  let first: YamlFailure | undefined;
  Reflect.set(composer, 'onError', (at: ErrorSource, _code: string, message: string, isWarning?: boolean) => {
    if (isWarning !== true) {
      const offset = typeof at === 'number' ? at : 'offset' in at ? at.offset : at[0];
      // The composer catches this error in each enclosing collection, and reports it again as that collection's error.
      first ??= new YamlFailure(shorten(message), offset);
      throw first;
    }
  });
  return composer;
}

/** Location of an error: an offset, a range or a token. */
type ErrorSource = number | readonly [number, ...number[]] | { readonly offset: number };

/** Limits the depth, because the composer is recursive. Yields undefined when other work may run. */
function* tokensOf(source: string): Generator<CST.Token | undefined> {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(source)) {
    lexemes += 1;
    if (lexemes > MAX_LEXEMES) {
      throw new YamlFailure(`it has more than ${MAX_LEXEMES} names, texts, signs and line ends`, parser.offset);
    }
    if (lexemes % LEXEMES_PER_STEP === 0) {
      yield undefined;
    }
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_DEPTH) {
      throw new YamlFailure(`it nests more than ${MAX_DEPTH} levels deep`, parser.offset);
    }
  }
  yield* parser.end();
}

/** The parser's messages may quote the rest of the document. */
export function shorten(message: string): string {
  return message.length > 200 ? `${message.slice(0, 200)}…` : message;
}
