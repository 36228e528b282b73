import { readFileSync } from 'node:fs';
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseAllDocuments,
  type Scalar,
  visit,
} from 'yaml';
import type { ClassPath } from '../class/secret-spec.ts';
import type { ProviderClass } from '../model/kube-objects.ts';
import { UsageError } from './terminal.ts';

/** A SecretProviderClass of a manifest file. */
export interface ManifestClass extends ProviderClass {
  /**
   * Finds a path from the class's root in the file, or as much of the path as there is.
   * @param offset into the text at the path
   */
  positionOf(path: ClassPath, offset?: number): Position;
}

/** Both from 1. */
export interface Position {
  readonly line: number;
  readonly col: number;
}

interface Manifest {
  readonly classes: readonly ManifestClass[];
  /** Text that is not YAML, and classes that the API server would refuse. */
  readonly problems: readonly { readonly message: string; readonly position: Position }[];
}

/** @param offset into the file */
type Report = (message: string, offset: number) => void;

/** @throws UsageError when the file cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${error instanceof Error ? error.message : 'unknown error'}`);
  }
}

/** The SecretProviderClasses of a manifest file with any number of documents; other kinds are ignored. */
export function readManifest(text: string): Manifest {
  const lines = new LineCounter();
  const classes: ManifestClass[] = [];
  const problems: Manifest['problems'][number][] = [];

  function report(message: string, offset: number): void {
    problems.push({ message, position: lines.linePos(offset) });
  }

  const documents = parseAllDocuments(text, { lineCounter: lines });
  for (const document of Array.isArray(documents) ? documents : []) {
    const problemsBefore = problems.length;
    for (const { message, pos } of document.errors) {
      // The library appends a drawing of the location to its messages, which we report ourselves.
      report(message.replace(/ at line \d+[^]*$/, ''), pos[0]);
    }
    reportUnresolvedAliases(document, report);
    if (problems.length === problemsBefore && document.get('kind') === 'SecretProviderClass') {
      const found = readClass(document, report);
      classes.push(
        ...found.map((each) => ({
          ...each,
          positionOf: (path: ClassPath, offset?: number) => lines.linePos(offsetOf(document, text, path, offset)),
        })),
      );
    }
  }
  return { classes, problems };
}

/** The library detects them only when it converts to plain values, by throwing. */
function reportUnresolvedAliases(document: Document, report: Report): void {
  const anchors = new Set<string>();
  visit(document, {
    Node(_key, node) {
      if (!isAlias(node)) {
        anchors.add(node.anchor ?? '');
      } else if (!anchors.has(node.source)) {
        report(`the alias *${node.source} has no anchor before it`, node.range?.[0] ?? 0);
      }
    },
  });
}

/** @returns nothing for a class that the API server would refuse as a whole */
function readClass(document: Document, report: Report): readonly ProviderClass[] {
  const parameters = document.getIn(['spec', 'parameters'], true);
  if (!isMap(parameters) || parameters.items.length === 0) {
    const start = document.contents?.range?.[0] ?? 0;
    report('spec.parameters is missing: the driver refuses a class without any', start);
    return [];
  }
  const secretObjects = document.getIn(['spec', 'secretObjects'], true);
  try {
    return [
      {
        name: textAt(document, 'metadata', 'name'),
        namespace: textAt(document, 'metadata', 'namespace') || 'default',
        provider: textAt(document, 'spec', 'provider'),
        parameters: readTexts(document, ['spec', 'parameters'], report),
        annotations: readTexts(document, ['metadata', 'annotations'], report),
        secretObjects: isNode(secretObjects) ? secretObjects.toJS(document) : undefined,
      },
    ];
  } catch (error) {
    if (!(error instanceof ReferenceError)) {
      throw error;
    }
    // Nested aliases make it unreasonably long.
    report(`spec.secretObjects: ${error.message}`, offsetOfNode(secretObjects) ?? 0);
    return [];
  }
}

function textAt(document: Document, ...path: readonly string[]): string {
  const value = document.getIn(path);
  return typeof value === 'string' ? value : '';
}

function readTexts(document: Document, path: ClassPath, report: Report): ReadonlyMap<string, string> {
  const map = document.getIn(path, true);
  const texts = new Map<string, string>();
  for (const { key, value } of isMap<Scalar>(map) ? map.items : []) {
    const name = String(key.value);
    if (isScalar(value) && typeof value.value === 'string') {
      texts.set(name, value.value);
    } else {
      report(`${path.join('.')}.${name} must be a string: quote it`, offsetOfNode(value) ?? offsetOfNode(key) ?? 0);
    }
  }
  return texts;
}

function offsetOfNode(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

function offsetOf(document: Document, text: string, path: ClassPath, offset?: number): number {
  const node = document.getIn(path, true);
  if (isScalar<string>(node) && offset !== undefined) {
    return offsetInScalar(text, node, offset);
  }
  return offsetOfNode(node) ?? (path.length === 0 ? 0 : offsetOf(document, text, path.slice(0, -1)));
}

/**
 * A block's text is that of the file without each line's indent, so columns are shifted by the indent. Escapes in quoted texts shift columns too, so for those
 * it is the scalar's start.
 */
function offsetInScalar(text: string, scalar: Scalar<string>, offset: number): number {
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
