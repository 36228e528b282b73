import { readFileSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseAllDocuments,
  type Scalar,
  visit,
} from 'yaml';
import type { ClassPath } from '../class/secret-spec.ts';
import { UsageError } from './terminal.ts';

/** One SecretProviderClass of a manifest file. */
export interface ManifestClass {
  readonly name: string;
  readonly namespace: string;
  readonly provider: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  /** `spec.secretObjects` as it is. */
  readonly secretObjects: unknown;
  /** Place in the file of what a path from the class's root leads to, or of as much of the way as there is. */
  positionAt(path: ClassPath): Position;
  /** Place in the file of an offset into a parameter's text. */
  positionOf(parameter: string, offset?: number): Position;
}

/** Both from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface ManifestProblem {
  readonly message: string;
  readonly position: Position;
}

export interface Manifest {
  readonly classes: readonly ManifestClass[];
  /** What is no YAML, or no class that the API server would take. */
  readonly problems: readonly ManifestProblem[];
}

/** @throws UsageError when the file cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : 'unknown error'}`);
  }
}

/** The SecretProviderClasses of a manifest file of any number of documents; other kinds are passed over. */
export function readManifest(text: string): Manifest {
  const lines = new LineCounter();
  const place: Place = {
    text,
    at(offset) {
      const { line, col } = lines.linePos(offset);
      return { line, column: col };
    },
  };
  const classes: ManifestClass[] = [];
  const problems: ManifestProblem[] = [];
  const documents = parseAllDocuments(text, { lineCounter: lines });
  for (const document of Array.isArray(documents) ? documents : []) {
    if (document.errors.length > 0) {
      // The library appends a drawing of the location to its messages, which we report ourselves.
      problems.push(
        ...document.errors.map(({ message, pos }) => ({
          message: message.replace(/ at line \d+[^]*$/, ''),
          position: place.at(pos[0]),
        })),
      );
      continue;
    }
    const unresolved = unresolvedAliases(document, place);
    problems.push(...unresolved);
    if (unresolved.length === 0 && document.get('kind') === 'SecretProviderClass') {
      const found = readClass(document, place, problems);
      classes.push(...(found === undefined ? [] : [found]));
    }
  }
  return { classes, problems };
}

/** A file's text, and where an offset into it stands. */
interface Place {
  readonly text: string;
  at(offset: number): Position;
}

/** The library finds them only where it makes plain values, and throws. */
function unresolvedAliases(document: Document, place: Place): readonly ManifestProblem[] {
  const anchors = new Set<string>();
  const problems: ManifestProblem[] = [];
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) {
          const message = `the alias *${node.source} has no anchor before it`;
          problems.push({ message, position: place.at(node.range?.[0] ?? 0) });
        }
      } else if (node.anchor !== undefined) {
        anchors.add(node.anchor);
      }
    },
  });
  return problems;
}

function readClass(document: Document.Parsed, place: Place, problems: ManifestProblem[]): ManifestClass | undefined {
  const start = place.at(document.contents?.range[0] ?? 0);
  const parameters = document.getIn(['spec', 'parameters'], true);
  if (!isMap<Scalar, Node>(parameters) || parameters.items.length === 0) {
    problems.push({ message: 'spec.parameters is missing: the driver refuses a class without any', position: start });
    return undefined;
  }
  const secretObjects = readSecretObjects(document, place, problems);
  if (secretObjects === UNREADABLE) {
    return undefined;
  }
  const scalars = new Map<string, Scalar<string>>();
  for (const { key, value } of parameters.items) {
    if (isScalar<string>(value) && typeof value.value === 'string') {
      scalars.set(String(key.value), value);
    } else {
      problems.push({
        message: `spec.parameters.${String(key.value)} must be a string: quote it, or write a block with "|"`,
        position: place.at((value?.range ?? key.range)?.[0] ?? 0),
      });
    }
  }
  return {
    name: textIn(document, 'metadata', 'name'),
    namespace: textIn(document, 'metadata', 'namespace') || 'default',
    provider: textIn(document, 'spec', 'provider'),
    parameters: new Map(Array.from(scalars, ([name, { value }]) => [name, value])),
    annotations: readAnnotations(document, place, problems),
    secretObjects,
    positionAt(path) {
      return place.at(offsetAt(document, path));
    },
    positionOf(parameter, offset = 0) {
      const scalar = scalars.get(parameter);
      return scalar === undefined ? start : place.at(offsetInFile(place.text, scalar, offset));
    },
  };
}

function readAnnotations(document: Document, place: Place, problems: ManifestProblem[]): ReadonlyMap<string, string> {
  const annotations = document.getIn(['metadata', 'annotations'], true);
  const texts = new Map<string, string>();
  for (const { key, value } of isMap<Scalar, Node>(annotations) ? annotations.items : []) {
    const name = String(key.value);
    if (isScalar(value) && typeof value.value === 'string') {
      texts.set(name, value.value);
    } else {
      problems.push({
        message: `metadata.annotations.${name} must be a string: quote it`,
        position: place.at((value?.range ?? key.range)?.[0] ?? 0),
      });
    }
  }
  return texts;
}

const UNREADABLE = Symbol('unreadable');

/** @returns UNREADABLE if nested aliases make it unreasonably long */
function readSecretObjects(document: Document, place: Place, problems: ManifestProblem[]): unknown {
  const node = document.getIn(['spec', 'secretObjects'], true);
  if (!isNode(node)) {
    return undefined;
  }
  try {
    return node.toJS(document);
  } catch (error) {
    if (!(error instanceof ReferenceError)) {
      throw error;
    }
    problems.push({ message: `spec.secretObjects: ${error.message}`, position: place.at(node.range?.[0] ?? 0) });
    return UNREADABLE;
  }
}

function offsetAt(document: Document, path: ClassPath): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) {
      return node.range[0];
    }
  }
  return document.contents?.range?.[0] ?? 0;
}

function textIn(document: Document.Parsed, ...path: readonly string[]): string {
  const value = document.getIn(path);
  return typeof value === 'string' ? value : '';
}

/**
 * A block's text is the file's without each line's indent: the same line, moved by it. Within quotes, where escapes move things, the
 * scalar's start has to do.
 */
function offsetInFile(text: string, scalar: Scalar<string>, offset: number): number {
  const start = scalar.range?.[0] ?? 0;
  if (scalar.type === 'PLAIN') {
    return start + offset;
  }
  if (scalar.type !== 'BLOCK_LITERAL') {
    return start;
  }
  const before = scalar.value.slice(0, offset).split('\n');
  const body = text.slice(start).split('\n').slice(1);
  const indent = /^ */.exec(body.find((line) => line.trim() !== '') ?? '')?.[0].length ?? 0;
  const header = text.indexOf('\n', start) + 1;
  const linesBefore = body.slice(0, before.length - 1).reduce((sum, line) => sum + line.length + 1, 0);
  return header + linesBefore + indent + (before.at(-1)?.length ?? 0);
}
