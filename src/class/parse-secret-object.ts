import { quote } from '../text/quote.ts';
import { parseMetadata } from './parse-secret-metadata.ts';
import { forbiddenType, type SecretPolicy } from './secret-policy.ts';
import { dataKeyProblem, secretNameProblem, typeProblem } from './secret-rules.ts';
import {
  type ClassPath,
  isFields,
  type SecretKey,
  type SecretReport,
  type SecretSpec,
  SYNC_ALL_KEYS,
} from './secret-spec.ts';

/** Settings of the class that apply to all its Secrets. */
interface SecretContext {
  readonly takesAllFiles: boolean;
  readonly isImmutable: boolean;
  /** Files of the class's volumes, if they are known. */
  readonly files: ReadonlySet<string> | undefined;
  readonly policy: SecretPolicy;
}

const MAX_KEYS = 1_000;
/** Maximum number of files that a message lists. */
const MAX_NAMED_FILES = 20;

/** The name of an entry for messages, even if the entry is invalid; '' if it has none. */
export function secretNameOf(entry: unknown): string {
  return isFields(entry) ? trimmed(entry['secretName']) : '';
}

/**
 * Parses one entry of `secretObjects` completely, to report all its problems. As in the driver (pkg/util/secretutil), white space around texts is removed, and
 * the same fields are mandatory.
 * @returns undefined if it is not an entry; otherwise use the result only if nothing was reported
 */
export function parseSecretObject(
  entry: unknown,
  context: SecretContext,
  report: SecretReport,
): SecretSpec | undefined {
  if (!isFields(entry)) {
    report('must be a map with secretName, type and data', []);
    return undefined;
  }
  const { takesAllFiles, isImmutable, files, policy } = context;
  const name = requiredText(entry, 'secretName', report);
  const nameProblem = name === '' ? undefined : secretNameProblem(name);
  if (nameProblem !== undefined) {
    report(`secretName ${quote(name)} cannot be the name of a Secret: it ${nameProblem}`, ['secretName']);
  }
  const type = requiredText(entry, 'type', report, ': write Opaque if no other fits');
  const refusal = type === '' ? undefined : forbiddenType(type, policy);
  if (refusal !== undefined) {
    report(refusal, ['type'], true);
  }
  const keys = parseData(entry['data'] ?? [], files, report);
  const problem = takesAllFiles || keys === undefined ? undefined : keysProblem(type, keys);
  if (problem !== undefined) {
    report(problem, ['data']);
  }
  const labels = parseMetadata('labels', entry['labels'] ?? {}, policy, report);
  const annotations = parseMetadata('annotations', entry['annotations'] ?? {}, policy, report);
  return { name, type, isImmutable, labels, annotations, keys: keys ?? [], takesAllFiles };
}

/** The message for a file that the volume does not have. */
export function unknownFile(file: string, files: Iterable<string>): string {
  const all = [...files];
  const names = all.slice(0, MAX_NAMED_FILES).map((each) => quote(each));
  const known = [...names, ...(all.length > names.length ? [`${all.length - names.length} more`] : [])].join(', ');
  return `objectName ${quote(file)} is not a file of the volume${known === '' ? '' : `, which has ${known}`}: write the objectAlias, or the objectName with each "/" translated`;
}

function keysProblem(type: string, keys: readonly SecretKey[]): string | undefined {
  return keys.length === 0
    ? `data is empty: list objectName and key of each file, or set the class's annotation ${SYNC_ALL_KEYS} to "true" for a key of every file`
    : typeProblem(type, new Set(keys.map(({ key }) => key)));
}

/** @returns undefined if the keys are invalid */
function parseData(
  data: unknown,
  files: SecretContext['files'],
  report: SecretReport,
): readonly SecretKey[] | undefined {
  if (!Array.isArray(data)) {
    report('data must be a list of objectName and key', ['data']);
    return undefined;
  }
  if (data.length > MAX_KEYS) {
    report(`data has ${data.length} entries, more than the ${MAX_KEYS} a Secret may have: split it into two`, ['data']);
    return undefined;
  }
  const keys = new Map<string, SecretKey>();
  for (const [index, entry] of data.entries()) {
    function reportHere(message: string, path: ClassPath): void {
      report(`data[${index}]: ${message}`, ['data', index, ...path]);
    }
    if (!isFields(entry)) {
      reportHere('must be a map with objectName and key', []);
      return undefined;
    }
    const file = requiredText(entry, 'objectName', reportHere);
    if (file !== '' && files?.has(file) === false) {
      reportHere(unknownFile(file, files), ['objectName']);
    }
    const key = requiredText(entry, 'key', reportHere);
    const problem = key === '' ? undefined : dataKeyProblem(key);
    if (problem !== undefined) {
      reportHere(`${quote(key)} cannot be a key of a Secret: it ${problem}`, ['key']);
    } else if (keys.has(key)) {
      reportHere(`the key ${quote(key)} is used twice: give one of them another name`, ['key']);
    }
    keys.set(key, { key, file });
  }
  return [...keys.values()];
}

/** @returns '' if it is missing, after a problem was reported */
function requiredText(
  fields: Readonly<Record<string, unknown>>,
  field: string,
  report: SecretReport,
  remedy = '',
): string {
  const value = fields[field] ?? '';
  const text = trimmed(value);
  if (text === '') {
    report(typeof value === 'string' ? `${field} is empty${remedy}` : `${field} must be a text: quote it`, [field]);
  }
  return text;
}

/** @returns '' for a value that is no text */
function trimmed(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}
