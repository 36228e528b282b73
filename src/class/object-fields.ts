import type { YamlMap, YamlText, YamlValue } from './go/go-yaml.ts';
import { bare, quote } from '../text/quote.ts';

/** Reports a problem and its location in the text of the parameter. */
export type Report = (message: string, offset: number) => void;

/** The fields of an entry of `objects` as text; absent if empty or missing. */
export interface ObjectFields {
  readonly offset: number;
  readonly texts: Texts<keyof typeof OBJECT_TEXTS>;
  readonly jmesPath: readonly ExtractionFields[];
  readonly failover: Texts<keyof typeof FAILOVER_TEXTS>;
}

export type ExtractionFields = TextFields<keyof typeof EXTRACTION_TEXTS>;

interface TextFields<Name extends string> {
  readonly offset: number;
  readonly texts: Texts<Name>;
}

export type Texts<Name extends string> = { readonly [N in Name]?: YamlText };

type Present = Exclude<YamlValue, { kind: 'null' }>;

/*
 * Fields with a text, each with its maximum length in UTF-16 units. The longest names in AWS are ARNs and names of parameters.
 */

const OBJECT_TEXTS = {
  objectName: 2048,
  objectType: 64,
  objectAlias: 2048,
  objectVersion: 64,
  objectVersionLabel: 256,
  filePermission: 64,
};
const EXTRACTION_TEXTS = {
  /** Checked in `jmespath/`. */
  path: Number.POSITIVE_INFINITY,
  objectAlias: 2048,
  filePermission: 64,
};
const FAILOVER_TEXTS = { objectName: 2048, objectVersion: 64, objectVersionLabel: 256 };
const JMES_PATH = 'jmesPath';
const FAILOVER = 'failoverObject';

export interface FieldReports {
  readonly problem: Report;
  /** Called for probable mistakes: unknown fields, and texts that YAML reads as numbers. */
  readonly warning: Report;
}

/** The name of an entry for messages, even if the entry is invalid. */
export function objectName(map: YamlMap): string | undefined {
  const name = fieldsOf(map).get(fold('objectName'));
  return name?.kind === 'text' && name.text !== '' ? name.text : undefined;
}

export function readObjectFields(map: YamlMap, reports: FieldReports): ObjectFields {
  warnOfUnknown(map, [...Object.keys(OBJECT_TEXTS), JMES_PATH, FAILOVER], reports.warning);
  const fields = fieldsOf(map);
  const failover = fields.get(fold(FAILOVER));
  return {
    offset: map.offset,
    texts: readTexts(map, OBJECT_TEXTS, '', reports),
    jmesPath: readExtractions(fields.get(fold(JMES_PATH)), reports),
    failover: failover === undefined ? {} : (readMap(failover, FAILOVER_TEXTS, FAILOVER, reports)?.texts ?? {}),
  };
}

function readExtractions(list: Present | undefined, reports: FieldReports): readonly ExtractionFields[] {
  if (list?.kind !== 'list') {
    if (list !== undefined) {
      reports.problem(`${JMES_PATH}: must be a list of path and objectAlias, not ${describe(list)}`, list.offset);
    }
    return [];
  }
  return list.items.flatMap((item, index) => {
    const empty = { offset: item.offset, texts: {} };
    return item.kind === 'null' ? empty : (readMap(item, EXTRACTION_TEXTS, `${JMES_PATH}[${index}]`, reports) ?? []);
  });
}

/** Reads a map that has texts only. @returns undefined if it is not a map, after that was reported */
function readMap<Name extends string>(
  value: Present,
  maxLengths: Readonly<Record<Name, number>>,
  where: string,
  reports: FieldReports,
): TextFields<Name> | undefined {
  const known = Object.keys(maxLengths);
  if (value.kind !== 'map') {
    reports.problem(`${where}: must be a map with ${known.join(', ')}, not ${describe(value)}`, value.offset);
    return undefined;
  }
  warnOfUnknown(value, known, reports.warning);
  return { offset: value.offset, texts: readTexts(value, maxLengths, `${where}.`, reports) };
}

function readTexts<Name extends string>(
  map: YamlMap,
  maxLengths: Readonly<Record<Name, number>>,
  prefix: string,
  reports: FieldReports,
): Texts<Name> {
  const fields = fieldsOf(map);
  const texts: { [N in Name]?: YamlText } = {};
  for (const name of Object.keys(maxLengths) as Name[]) {
    const value = fields.get(fold(name));
    if (value?.kind === 'list' || value?.kind === 'map') {
      reports.problem(`${prefix}${name}: must be a text, not ${describe(value)}`, value.offset);
    } else if (value !== undefined && value.text.length > maxLengths[name]) {
      const { length } = value.text;
      const message = `it is ${length} characters long, more than the ${maxLengths[name]} allowed`;
      reports.problem(`${prefix}${name}: ${message}`, value.offset);
    } else if (value !== undefined && value.text !== '') {
      const { written, text, offset } = value;
      texts[name] = value;
      if (text !== written) {
        const message = `YAML reads ${bare(written)} as ${quote(text)}: put it in quotes if it is meant literally`;
        reports.warning(`${prefix}${name}: ${message}`, offset);
      }
    }
  }
  return texts;
}

/**
 * The fields of a map by their folded names, as encoding/json chooses them: names match in any case. Of several spellings the one that sorts last wins, unless
 * it is null.
 */
function fieldsOf(map: YamlMap): ReadonlyMap<string, Present> {
  const fields = new Map<string, Present>();
  for (const key of [...map.entries.keys()].toSorted()) {
    const value = map.entries.get(key)?.value;
    if (value !== undefined && value.kind !== 'null') {
      fields.set(fold(key), value);
    }
  }
  return fields;
}

/** Unicode folds two more characters to ASCII letters: the long s, and the Kelvin sign, which toLowerCase turns into k. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll('\u017f', 's');
}

/** Longer than the name of any field. */
const MAX_KEY = 64;

function warnOfUnknown(map: YamlMap, known: readonly string[], warn: Report): void {
  const folded = known.map(fold);
  for (const [key, { keyOffset }] of map.entries) {
    if (key.length > MAX_KEY || !folded.includes(fold(key))) {
      warn(`the field ${quote(key)} is ignored: known here are ${known.join(', ')}`, keyOffset);
    }
  }
}

function describe(value: YamlValue): string {
  return value.kind === 'text' ? `the text ${quote(value.text)}` : `a ${value.kind}`;
}
