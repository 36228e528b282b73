import {
  type Alias,
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { scalarText } from './go-scalar.ts';

/**
 * YAML as Go's sigs.k8s.io/yaml over go-yaml v2 reads it into text fields: YAML 1.1 scalars, the last of equal keys wins,
 * anchors, `<<` merges, first document only. What is read there and here means the same; refused here alone are entries that
 * stand further left than the first (there they are dropped in silence), and flow collections and quoted texts that go on
 * further left than their key.
 */
export type YamlValue = YamlText | YamlList | YamlMap | YamlNull;

export interface YamlText {
  readonly kind: 'text';
  readonly text: string;
  /** As written, where that differs from the text: `0644` for "420". */
  readonly written: string;
  /** UTF-16 units from the start of the document, as in all of these. */
  readonly offset: number;
}

interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlValue[];
  readonly offset: number;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, YamlEntry>;
  readonly offset: number;
}

interface YamlEntry {
  readonly keyOffset: number;
  readonly value: YamlValue;
}

interface YamlNull {
  readonly kind: 'null';
  readonly offset: number;
}

export type YamlResult =
  | { readonly ok: true; readonly value: YamlValue }
  | { readonly ok: false; readonly message: string; readonly offset: number };

/** The parser needs about 1 ms for 500 of them, and nothing else runs meanwhile. */
const MAX_LENGTH = 128 * 1024;
const MAX_DEPTH = 50;
/** Values of the document with every alias written out. */
const MAX_VALUES = 20_000;

/** What libyaml's reader refuses; and, of what it takes as line breaks, those that the parser here does not. */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

const MERGE_TAG = 'tag:yaml.org,2002:merge';

/** Thrown and caught in this file only. */
class YamlFailure extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Reads any text whatever; never throws. */
export function readYaml(text: string): YamlResult {
  try {
    const root = compose(text);
    return { ok: true, value: root === null ? { kind: 'null', offset: 0 } : newReader()(root) };
  } catch (error) {
    if (error instanceof YamlFailure) {
      return { ok: false, message: error.message, offset: error.offset };
    }
    throw error;
  }
}

/** @returns null for a text without a document, or with an empty one */
function compose(text: string): Node | null {
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
  const composer = new Composer({
    schema: 'failsafe',
    resolveKnownTags: false,
    strict: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  for (const document of composer.compose(tokensOf(source))) {
    const [error] = document.errors;
    if (error !== undefined) {
      throw new YamlFailure(shorten(error.message), error.pos[0]);
    }
    return document.contents;
  }
  return null;
}

/** The parser keeps its own stack; what reads its tokens recurses, so the depth ends here. */
function* tokensOf(source: string): Generator<CST.Token> {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(source)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MAX_DEPTH) {
      throw new YamlFailure(`it nests more than ${MAX_DEPTH} levels deep`, parser.offset);
    }
  }
  yield* parser.end();
}

/** The parser's messages may quote the rest of the document. */
function shorten(message: string): string {
  return message.length > 200 ? `${message.slice(0, 200)}…` : message;
}

/** Turns the parser's nodes into values. An alias shares its anchor's value, so that what has been read once stays read once. */
function newReader(): (node: Node) => YamlValue {
  /** Absent while the anchored value is being read: then it holds itself. */
  const anchors = new Map<string, { readonly value: YamlValue; readonly weight: number } | undefined>();
  let weight = 0;

  function add(more: number, offset: number): void {
    weight += more;
    if (weight > MAX_VALUES) {
      throw new YamlFailure(`it holds more than ${MAX_VALUES} values once its aliases are written out`, offset);
    }
  }

  function read(node: Node): YamlValue {
    const offset = node.range?.[0] ?? 0;
    if (isAlias(node)) {
      return readAlias(node, offset);
    }
    const before = weight;
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) {
      anchors.set(anchor, undefined);
    }
    add(1, offset);
    const value = readContent(node, offset);
    if (anchor !== undefined) {
      anchors.set(anchor, { value, weight: weight - before });
    }
    return value;
  }

  function readAlias(node: Alias, offset: number): YamlValue {
    const target = anchors.get(node.source);
    if (target === undefined) {
      const why = anchors.has(node.source) ? 'stands inside its own anchor' : 'has no anchor before it';
      throw new YamlFailure(`the alias *${shorten(node.source)} ${why}`, offset);
    }
    add(target.weight, offset);
    return target.value;
  }

  function readContent(node: Node, offset: number): YamlValue {
    if (isScalar(node)) {
      return readScalar(node, offset);
    }
    if (isSeq<Node>(node)) {
      return { kind: 'list', items: node.items.map(read), offset };
    }
    if (isMap<Node, Node | null>(node)) {
      return { kind: 'map', entries: readEntries(node), offset };
    }
    throw new YamlFailure('it holds something that is no text, list or map', offset);
  }

  function readEntries(node: YAMLMap<Node, Node | null>): ReadonlyMap<string, YamlEntry> {
    const entries = new Map<string, YamlEntry>();
    for (const pair of node.items) {
      const keyOffset = pair.key.range?.[0] ?? 0;
      const key = isMerge(pair) ? undefined : readKey(pair.key);
      const value: YamlValue = pair.value === null ? { kind: 'null', offset: keyOffset } : read(pair.value);
      if (key !== undefined) {
        entries.set(key, { keyOffset, value });
        continue;
      }
      // Unlike in later YAML, what is merged wins over the keys written before it.
      for (const [name, entry] of mergedEntries(value, keyOffset)) {
        entries.set(name, entry);
      }
    }
    return entries;
  }

  function readKey(node: Node): string {
    const key = read(node);
    if (key.kind !== 'text') {
      throw new YamlFailure('a key must be a text', key.offset);
    }
    return key.text;
  }

  return read;
}

function readScalar(node: Scalar, offset: number): YamlValue {
  const unquoted = typeof node.value === 'string' ? node.value : '';
  const plain = node.type === undefined || node.type === 'PLAIN';
  const result = scalarText(unquoted, plain, node.tag);
  if (!result.ok) {
    throw new YamlFailure(result.reason, offset);
  }
  if (result.text === null) {
    return { kind: 'null', offset };
  }
  if (!result.text.isWellFormed()) {
    throw new YamlFailure('half a surrogate pair is escaped in it', offset);
  }
  return { kind: 'text', text: result.text, written: unquoted, offset };
}

function isMerge(pair: Pair<Node, Node | null>): boolean {
  const { key } = pair;
  return isScalar(key) && key.value === '<<' && (key.tag === undefined ? key.type === 'PLAIN' : key.tag === MERGE_TAG);
}

/** Of several maps the earlier wins. */
function mergedEntries(value: YamlValue, offset: number): Iterable<[string, YamlEntry]> {
  const maps = value.kind === 'list' ? value.items.toReversed() : [value];
  return maps.flatMap((map) => {
    if (map.kind !== 'map') {
      throw new YamlFailure('"<<" merges a map, or a list of maps', offset);
    }
    return [...map.entries];
  });
}
