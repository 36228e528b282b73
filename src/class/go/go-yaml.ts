import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import type { Steps } from '../../concurrency/time-slices.ts';
import { scalarText } from './go-scalar.ts';
import { composeYaml, shorten, YamlFailure } from './yaml-nodes.ts';

/**
 * YAML as Go's sigs.k8s.io/yaml over go-yaml v2 reads it into text fields: YAML 1.1 scalars, the last of equal keys wins,
 * anchors, `<<` merges, first document only. A text that both accept has the same meaning. Refused only here: list entries that
 * are indented less than the first (Go drops them silently), and flow collections and quoted texts that continue on a line
 * indented less than their key.
 */
export type YamlValue = YamlText | YamlList | YamlMap | YamlNull;

export interface YamlText {
  readonly kind: 'text';
  readonly text: string;
  /** The source, if it differs from the text: `0644` for "420". */
  readonly written: string;
  /** Offset in UTF-16 units from the start of the document. */
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

/** Maximum number of values with all aliases expanded. */
const MAX_VALUES = 20_000;
/** Maximum UTF-16 units of texts and keys with all aliases expanded: four times the limit of the document itself. */
const MAX_CHARACTERS = 512 * 1024;

const MERGE_TAG = 'tag:yaml.org,2002:merge';

/** Parses any text, in steps of about 50 ms at most. Never throws. */
export function* readYaml(text: string): Steps<YamlResult> {
  try {
    const root = yield* composeYaml(text);
    yield;
    const reading = { anchors: new Map(), spent: { values: 0, characters: 0 } };
    return { ok: true, value: root === null ? { kind: 'null', offset: 0 } : readNode(root, reading) };
  } catch (error) {
    if (error instanceof YamlFailure) {
      return { ok: false, message: error.message, offset: error.offset };
    }
    throw error;
  }
}

/** Size of a value with all aliases expanded. */
interface Size {
  readonly values: number;
  readonly characters: number;
}

/** State of one reading of a document. */
interface Reading {
  /**
   * Anchored values, which aliases share, so that each node is converted only once. Undefined while the value is being converted: an alias to it would be a
   * cycle.
   */
  readonly anchors: Map<string, { readonly value: YamlValue; readonly size: Size } | undefined>;
  spent: Size;
}

function spend(reading: Reading, more: Size, offset: number): void {
  const values = reading.spent.values + more.values;
  const characters = reading.spent.characters + more.characters;
  reading.spent = { values, characters };
  if (values > MAX_VALUES) {
    throw new YamlFailure(`it has more than ${MAX_VALUES} values with its aliases expanded`, offset);
  }
  if (characters > MAX_CHARACTERS) {
    const message = `its texts have more than ${MAX_CHARACTERS} characters with its aliases expanded`;
    throw new YamlFailure(message, offset);
  }
}

function readNode(node: Node, reading: Reading): YamlValue {
  const offset = node.range?.[0] ?? 0;
  if (isAlias(node)) {
    return readAlias(node, offset, reading);
  }
  const before = reading.spent;
  const { anchor } = node;
  if (anchor !== undefined) {
    reading.anchors.set(anchor, undefined);
  }
  spend(reading, { values: 1, characters: 0 }, offset);
  const value = readContent(node, offset, reading);
  if (anchor !== undefined) {
    const { values, characters } = reading.spent;
    const size = { values: values - before.values, characters: characters - before.characters };
    reading.anchors.set(anchor, { value, size });
  }
  return value;
}

function readAlias(node: Alias, offset: number, reading: Reading): YamlValue {
  const target = reading.anchors.get(node.source);
  if (target === undefined) {
    const why = reading.anchors.has(node.source) ? 'stands inside its own anchor' : 'has no anchor before it';
    throw new YamlFailure(`the alias *${shorten(node.source)} ${why}`, offset);
  }
  spend(reading, target.size, offset);
  return target.value;
}

function readContent(node: Node, offset: number, reading: Reading): YamlValue {
  if (isScalar(node)) {
    const value = readScalar(node, offset);
    if (value.kind === 'text') {
      spend(reading, { values: 0, characters: Math.max(value.text.length, value.written.length) }, offset);
    }
    return value;
  }
  if (isSeq<Node>(node)) {
    return { kind: 'list', items: node.items.map((item) => readNode(item, reading)), offset };
  }
  if (isMap<Node, Node | null>(node)) {
    return { kind: 'map', entries: readEntries(node, reading), offset };
  }
  throw new YamlFailure('it contains a value other than a text, list or map', offset);
}

function readEntries(node: YAMLMap<Node, Node | null>, reading: Reading): ReadonlyMap<string, YamlEntry> {
  const entries = new Map<string, YamlEntry>();
  for (const pair of node.items) {
    const keyOffset = pair.key.range?.[0] ?? 0;
    const key = isMerge(pair) ? undefined : readKey(pair.key, reading);
    const value: YamlValue = pair.value === null ? { kind: 'null', offset: keyOffset } : readNode(pair.value, reading);
    // Unlike in later versions of YAML, merged keys override the keys before them.
    const added = key === undefined ? mergedEntries(value, keyOffset) : [[key, { keyOffset, value }] as const];
    for (const [name, entry] of added) {
      entries.set(name, entry);
    }
  }
  return entries;
}

function readKey(node: Node, reading: Reading): string {
  const key = readNode(node, reading);
  if (key.kind !== 'text') {
    throw new YamlFailure('a key must be a text', key.offset);
  }
  return key.text;
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
    throw new YamlFailure('it has an escaped half of a surrogate pair', offset);
  }
  return { kind: 'text', text: result.text, written: unquoted, offset };
}

function isMerge(pair: Pair<Node, Node | null>): boolean {
  const { key } = pair;
  return isScalar(key) && key.value === '<<' && (key.tag === undefined ? key.type === 'PLAIN' : key.tag === MERGE_TAG);
}

/** The first of several maps wins. */
function mergedEntries(value: YamlValue, offset: number): Iterable<readonly [string, YamlEntry]> {
  const maps = value.kind === 'list' ? value.items.toReversed() : [value];
  return maps.flatMap((map) => {
    if (map.kind !== 'map') {
      throw new YamlFailure('"<<" merges a map, or a list of maps', offset);
    }
    return [...map.entries];
  });
}
