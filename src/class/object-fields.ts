import type { YamlMap, YamlText, YamlValue } from './go/go-yaml.ts';
import { bare, quote } from '../text/quote.ts';

/** Reports a problem and its location in the text of the parameter. */
export type Report = (message: string, offset: number) => void;

/** The fields of an entry of `objects` as text; absent if empty or missing. */
export interface ObjectFields {
  readonly offset: number;
  readonly texts: Texts<(typeof OBJECT_TEXTS)[number]>;
  readonly jmesPath: readonly ExtractionFields[];
  readonly failover: Texts<(typeof FAILOVER_TEXTS)[number]>;
}

export interface ExtractionFields {
  readonly offset: number;
  readonly texts: Texts<(typeof EXTRACTION_TEXTS)[number]>;
}

type Present = Exclude<YamlValue, { kind: 'null' }>;
type Fields = ReadonlyMap<string, Present>;

export type Texts<Name extends string> = { readonly [N in Name]?: YamlText };

const OBJECT_TEXTS = [
  'objectName',
  'objectType',
  'objectAlias',
  'objectVersion',
  'objectVersionLabel',
  'filePermission',
] as const;
const EXTRACTION_TEXTS = ['path', 'objectAlias', 'filePermission'] as const;
const FAILOVER_TEXTS = ['objectName', 'objectVersion', 'objectVersionLabel'] as const;
const JMES_PATH = 'jmesPath';
const FAILOVER = 'failoverObject';

/** Maximum UTF-16 units in AWS; the longest names are ARNs and names of parameters. The length of an expression is checked in `jmespath/`. */
const MAX_LENGTHS: Readonly<Record<string, number>> = {
  objectName: 2048,
  objectType: 64,
  objectAlias: 2048,
  objectVersion: 64,
  objectVersionLabel: 256,
  filePermission: 64,
};

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
  warnOfUnknown(map, [...OBJECT_TEXTS, JMES_PATH, FAILOVER], reports.warning);
  const fields = fieldsOf(map);
  return {
    offset: map.offset,
    texts: readTexts(fields, OBJECT_TEXTS, '', reports),
    jmesPath: readExtractions(fields.get(fold(JMES_PATH)), reports),
    failover: readFailover(fields.get(fold(FAILOVER)), reports),
  };
}

function readExtractions(list: Present | undefined, reports: FieldReports): readonly ExtractionFields[] {
  if (list === undefined) {
    return [];
  }
  if (list.kind !== 'list') {
    reports.problem(`${JMES_PATH}: must be a list of path and objectAlias, not ${describe(list)}`, list.offset);
    return [];
  }
  return list.items.flatMap((item, index): ExtractionFields[] => {
    const where = `${JMES_PATH}[${index}]`;
    if (item.kind === 'null') {
      return [{ offset: item.offset, texts: {} }];
    }
    if (item.kind !== 'map') {
      reports.problem(`${where}: must be a map with path and objectAlias, not ${describe(item)}`, item.offset);
      return [];
    }
    warnOfUnknown(item, EXTRACTION_TEXTS, reports.warning);
    return [{ offset: item.offset, texts: readTexts(fieldsOf(item), EXTRACTION_TEXTS, `${where}.`, reports) }];
  });
}

function readFailover(failover: Present | undefined, reports: FieldReports): ObjectFields['failover'] {
  if (failover === undefined) {
    return {};
  }
  if (failover.kind !== 'map') {
    reports.problem(
      `${FAILOVER}: must be a map with objectName and versions, not ${describe(failover)}`,
      failover.offset,
    );
    return {};
  }
  warnOfUnknown(failover, FAILOVER_TEXTS, reports.warning);
  return readTexts(fieldsOf(failover), FAILOVER_TEXTS, `${FAILOVER}.`, reports);
}

function readTexts<Name extends string>(
  fields: Fields,
  names: readonly Name[],
  prefix: string,
  reports: FieldReports,
): Texts<Name> {
  const texts: { [N in Name]?: YamlText } = {};
  for (const name of names) {
    const value = fields.get(fold(name));
    const longest = MAX_LENGTHS[name] ?? Number.POSITIVE_INFINITY;
    if (value?.kind === 'text' && value.text.length > longest) {
      const { length } = value.text;
      reports.problem(
        `${prefix}${name}: it is ${length} characters long, more than the ${longest} allowed`,
        value.offset,
      );
    } else if (value?.kind === 'text' && value.text !== '') {
      texts[name] = value;
      if (value.text !== value.written) {
        const { written, text, offset } = value;
        reports.warning(
          `${prefix}${name}: YAML reads ${bare(written)} as ${quote(text)}: put it in quotes if it is meant literally`,
          offset,
        );
      }
    } else if (value?.kind === 'list' || value?.kind === 'map') {
      reports.problem(`${prefix}${name}: must be a text, not ${describe(value)}`, value.offset);
    }
  }
  return texts;
}

/**
 * The fields of a map by their folded names, as encoding/json chooses them: names match in any case. Of several spellings the one that sorts last wins, unless
 * it is null.
 */
function fieldsOf(map: YamlMap): Fields {
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
