import type { Steps } from '../concurrency/time-slices.ts';
import { type Translation, filePath, pathProblem } from './file-path.ts';
import type { YamlText } from './go/go-yaml.ts';
import type { JmesPath } from './jmespath/jmespath.ts';
import type { Extraction, ObjectSource, ObjectSpec } from '../model/mount-spec.ts';
import type { ExtractionFields, ObjectFields, Report } from './object-fields.ts';
import { storeOf } from './object-store.ts';
import { bare, quote } from '../text/quote.ts';

/** Settings of the class that apply to all its objects. */
export interface ObjectContext {
  /** Undefined if it is not known: then ARNs are not compared with it. */
  readonly region: string | undefined;
  readonly failoverRegion: string | undefined;
  readonly translation: Translation;
  /** Permission bits of files without `filePermission`. */
  readonly mode: number;
}

/** State that the entries of one class share while they are parsed. */
interface EntryContext extends ObjectContext {
  readonly jmesPath: JmesPath;
}

/**
 * Checks one entry of `objects`. Problems are reported in the order in which AWS's provider would find them.
 * @returns undefined if it is incomplete; otherwise use the result only if nothing was reported
 */
export function* parseObject(
  fields: ObjectFields,
  context: EntryContext,
  report: Report,
): Steps<ObjectSpec | undefined> {
  const { texts } = fields;
  const { objectName: name, objectAlias: alias } = texts;
  if (name === undefined) {
    report('objectName: the name must be specified', fields.offset);
    return undefined;
  }
  const store = storeOf(name, texts.objectType, context.region, report);
  const primary = source(name.text, texts.objectVersion, texts.objectVersionLabel);
  if (store === 'ssmparameter') {
    checkSelectors(primary, name.offset, report);
  }
  const path = checkedPath(alias ?? name, context.translation, report);
  const mode = parseMode(texts.filePermission, context.mode, report);
  const extractions: Extraction[] = [];
  for (const [index, entry] of fields.jmesPath.entries()) {
    yield;
    const extraction = parseExtraction(entry, { ...context, mode }, (message, offset) => {
      report(`jmesPath[${index}]: ${message}`, offset);
    });
    extractions.push(...(extraction === undefined ? [] : [extraction]));
  }
  checkFailover(fields, context, report);
  if (store === undefined) {
    return undefined;
  }
  const failover = failoverSource(fields, primary, store === 'ssmparameter');
  return { store, name: name.text, path, mode, primary, failover, extractions };
}

function source(name: string, version: YamlText | undefined, label: YamlText | undefined): ObjectSource {
  return {
    name,
    ...(version !== undefined && { version: version.text }),
    ...(label !== undefined && { label: label.text }),
  };
}

function checkSelectors(asked: ObjectSource, offset: number, report: Report): void {
  if (asked.version !== undefined && asked.label !== undefined) {
    report('a parameter can not specify both objectVersion and objectVersionLabel: leave out one', offset);
  }
}

function checkedPath(nameOrAlias: YamlText, translation: Translation, report: Report): string {
  const path = filePath(nameOrAlias.text, translation);
  const problem = pathProblem(path);
  if (problem !== undefined) {
    report(`the file name ${quote(path)} is not possible: ${problem}`, nameOrAlias.offset);
  }
  return path;
}

/** Four octal digits; the first one is ignored, because only permission bits are used. */
function parseMode(permission: YamlText | undefined, otherwise: number, report: Report): number {
  if (permission === undefined) {
    return otherwise;
  }
  if (!/^[0-7]{4}$/.test(permission.text)) {
    const why =
      permission.written === permission.text
        ? ''
        : ` (unquoted, YAML reads ${bare(permission.written)} as the number ${bare(permission.text)})`;
    report(
      `filePermission: Invalid File Permission: ${bare(permission.text)}${why}: write four octal digits in quotes, such as "0644"`,
      permission.offset,
    );
    return otherwise;
  }
  return Number.parseInt(permission.text, 8) & 0o777;
}

function parseExtraction(
  { texts, offset }: ExtractionFields,
  context: EntryContext,
  report: Report,
): Extraction | undefined {
  const { path: expression, objectAlias: alias } = texts;
  if (expression === undefined) {
    report('Path must be specified: the expression that picks the value', offset);
  }
  if (alias === undefined) {
    report('objectAlias: an alias must be specified: it names the file', offset);
  }
  const mode = parseMode(texts.filePermission, context.mode, report);
  if (expression === undefined || alias === undefined) {
    return undefined;
  }
  const path = checkedPath(alias, context.translation, report);
  const problem = context.jmesPath.problemOf(expression.text);
  if (problem !== undefined) {
    report(`Invalid JMES Path: ${quote(expression.text)}: ${problem}`, expression.offset);
  }
  return { expression: expression.text, alias: alias.text, path, mode };
}

/** Problems of the name in the failover region count only if it differs from the primary's. */
function checkFailover({ texts, failover }: ObjectFields, context: ObjectContext, report: Report): void {
  const { objectName: name, objectVersion: version } = failover;
  if (name === undefined) {
    return;
  }
  if (texts.objectAlias === undefined) {
    report('objectAlias: an alias must be specified with a failoverObject', name.offset);
  }
  if (context.failoverRegion === undefined) {
    report('failoverObject: a failover object allowed only with the parameter failoverRegion', name.offset);
    return;
  }
  const store = storeOf(name, texts.objectType, context.failoverRegion, (message, offset) => {
    report(`failoverObject: ${message}`, offset);
  });
  if (store === 'ssmparameter') {
    checkSelectors(source(name.text, version, failover.objectVersionLabel), name.offset, report);
  }
  if (version?.text !== texts.objectVersion?.text) {
    report(
      `failoverObject: the object versions must match: objectVersion is ${quote(texts.objectVersion?.text ?? '')}, but in failoverObject ${quote(version?.text ?? '')}`,
      (version ?? name).offset,
    );
  }
}

/** Absent parts are those of the primary. Naming either selector of a parameter replaces both. */
function failoverSource({ failover }: ObjectFields, primary: ObjectSource, oneSelector: boolean): ObjectSource {
  const named = source(failover.objectName?.text ?? primary.name, failover.objectVersion, failover.objectVersionLabel);
  const selects = named.version !== undefined || named.label !== undefined;
  return oneSelector && selects ? named : { ...primary, ...named };
}
