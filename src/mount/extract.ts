import { ProviderError } from '../errors.ts';
import { SecretBytes } from '../secret-bytes.ts';
import { type GoJson, parseGoJson } from '../spec/go/go-json.ts';
import { searchJson } from '../spec/jmespath/jmespath.ts';
import type { Extraction, ObjectSpec } from '../spec/mount-spec.ts';
import { quote } from '../spec/quote.ts';
import type { VersionedFile } from './plan.ts';

/** What of a fetched object becomes files. */
export interface Extractable {
  readonly object: ObjectSpec;
  readonly version: string;
  readonly value: SecretBytes;
}

/**
 * The files of an object: its own, then one for each `jmesPath` entry, or why that cannot be had. All carry the object's
 * version. No error holds a part of the value, not even as its cause.
 */
export function extract({ object, version, value }: Extractable): readonly (VersionedFile | ProviderError)[] {
  const own = { path: object.path, mode: object.mode, value, version };
  if (object.extractions.length === 0) {
    return [own];
  }
  const json = parseGoJson(value.exposeText());
  if (!json.ok) {
    const { name } = object;
    return [
      own,
      unusable(name, `Invalid JSON used with jmesPath: the value of ${quote(name)} cannot be read: ${json.reason}`),
    ];
  }
  return [
    own,
    ...object.extractions.map((extraction) => {
      const found = extractOne(object.name, extraction, json.value);
      return typeof found === 'string'
        ? { path: extraction.path, mode: extraction.mode, value: SecretBytes.fromText(found), version }
        : found;
    }),
  ];
}

function extractOne(object: string, extraction: Extraction, json: GoJson): string | ProviderError {
  const { expression: text, alias } = extraction;
  const which = `jmesPath ${quote(text)} for ${quote(alias)} of ${quote(object)}`;
  const found = searchJson(text, json);
  if (!found.ok) {
    return unusable(object, `Invalid JMES Path: ${which}: ${found.reason}`);
  }
  if (found.value === null) {
    return unusable(object, `${which} does not point to a value: nothing is there, or null`);
  }
  if (typeof found.value !== 'string') {
    return unusable(object, `${which}: Only string values can be a file: use to_string(…)`);
  }
  return found.value;
}

function unusable(object: string, message: string): ProviderError {
  return new ProviderError('ValueUnusable', message, { object });
}
