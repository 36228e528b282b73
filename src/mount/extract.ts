import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { parseGoJson } from '../class/go/go-json.ts';
import { documentOf, type JmesPath, type JsonDocument, WorkExceeded } from '../class/jmespath/jmespath.ts';
import type { Extraction, ObjectSpec } from '../model/mount-spec.ts';
import { quote } from '../text/quote.ts';
import type { PlannedFile } from '../model/mount-plan.ts';

/**
 * Yields the files of an object: its own, then one file or error for each `jmesPath` entry. No error contains a part of the value, not even as its cause.
 * @param jmesPath shared by all objects of the mount
 * @throws ProviderError if the entries of the mount together take too much work
 */
export function* extract(
  object: ObjectSpec,
  value: SecretBytes,
  jmesPath: JmesPath,
): Generator<PlannedFile | ProviderError, void, void> {
  yield { path: object.path, mode: object.mode, value };
  if (object.extractions.length === 0) {
    return;
  }
  const { name } = object;
  try {
    jmesPath.spend(value.size);
    const json = parseGoJson(value.exposeText());
    if (!json.ok) {
      yield unusable(
        name,
        `Invalid JSON used with jmesPath: the value of ${quote(name)} cannot be read: ${json.reason}`,
      );
      return;
    }
    const document = documentOf(json.value);
    for (const extraction of object.extractions) {
      const found = extractOne(name, extraction, document, jmesPath);
      yield typeof found === 'string'
        ? { path: extraction.path, mode: extraction.mode, value: SecretBytes.fromText(found) }
        : found;
    }
  } catch (error) {
    throw error instanceof WorkExceeded ? tooMuchWork(name) : error;
  }
}

function tooMuchWork(object: string): ProviderError {
  return unusable(
    object,
    `the jmesPath entries of this volume take too much work together, at ${quote(object)} at the latest: spread them over several SecretProviderClasses, or write simpler expressions`,
  );
}

function extractOne(
  object: string,
  extraction: Extraction,
  document: JsonDocument,
  jmesPath: JmesPath,
): string | ProviderError {
  const { expression: text, alias } = extraction;
  const which = `jmesPath ${quote(text)} for ${quote(alias)} of ${quote(object)}`;
  const found = jmesPath.search(text, document);
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
