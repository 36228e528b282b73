import { quote } from '../text/quote.ts';
import { forbiddenMetadata, forbiddenType, type SecretPolicy } from './secret-policy.ts';
import {
  dataKeyProblem,
  labelValueProblem,
  qualifiedNameProblem,
  secretNameProblem,
  typeProblem,
} from './secret-rules.ts';
import { AS_OF, type ClassPath, FIELDS, type SecretKey, type SecretSpec, SYNC_ALL_KEYS } from './secret-spec.ts';

/** Settings of the class that apply to all its Secrets. */
export interface SecretContext {
  readonly takesAllFiles: boolean;
  readonly isImmutable: boolean;
  /** Files of the class's volumes, if they are known. */
  readonly files: ReadonlySet<string> | undefined;
  readonly policy: SecretPolicy;
}

/** Reports a problem and its location in the entry. */
type Refuse = (message: string, ...path: ClassPath) => void;
type Fields = Readonly<Record<string, unknown>>;

const MAX_ANNOTATION_BYTES = 256 * 1024;
const MAX_KEYS = 1_000;
/** Maximum number of labels and of annotations. */
const MAX_TEXTS = 100;
/** Maximum number of files that a message lists. */
const MAX_NAMED_FILES = 20;

/** The name of an entry for messages, even if the entry is invalid; '' if it has none. */
export function secretNameOf(entry: unknown): string {
  return isFields(entry) ? textOf(entry['secretName']) : '';
}

/**
 * Parses one entry of `secretObjects` completely, to report all its problems. As in the driver (pkg/util/secretutil), white space around texts is removed, and
 * the same fields are mandatory.
 * @param forbid like `refuse`, for problems that the operator's settings could allow
 * @returns undefined if it is not an entry; otherwise use the result only if nothing was refused
 */
export function parseSecretObject(
  entry: unknown,
  context: SecretContext,
  refuse: Refuse,
  forbid: Refuse,
): SecretSpec | undefined {
  if (!isFields(entry)) {
    refuse('wants secretName, type and data');
    return undefined;
  }
  const { takesAllFiles, isImmutable, files, policy } = context;
  const name = requiredText(entry, 'secretName', refuse);
  const nameProblem = name === '' ? undefined : secretNameProblem(name);
  if (nameProblem !== undefined) {
    refuse(`secretName ${quote(name)} cannot be the name of a Secret: it ${nameProblem}`, 'secretName');
  }
  const type = requiredText(entry, 'type', refuse, ': write Opaque where no other fits');
  const typeRefusal = type === '' ? undefined : forbiddenType(type, policy);
  if (typeRefusal !== undefined) {
    forbid(typeRefusal, 'type');
  }
  const keys = parseData(entry['data'], files, refuse);
  if (!takesAllFiles && keys !== undefined) {
    checkKeys(type, keys, refuse);
  }
  const labels = parseLabels(entry['labels'], refuse);
  const annotations = parseAnnotations(entry['annotations'], refuse);
  checkPolicy('labels', labels, policy, forbid);
  checkPolicy('annotations', annotations, policy, forbid);
  return { name, type, isImmutable, labels, annotations, keys: keys ?? [], takesAllFiles };
}

/** The message for a file that the volume does not have. */
export function unknownFile(file: string, files: Iterable<string>): string {
  const all = [...files];
  const names = all.slice(0, MAX_NAMED_FILES).map((each) => quote(each));
  const known = [...names, ...(all.length > names.length ? [`${all.length - names.length} more`] : [])].join(', ');
  return `objectName ${quote(file)} is no file of the volume${known === '' ? '' : `, which has ${known}`}: write the objectAlias, or the objectName with each "/" translated`;
}

function checkKeys(type: string, keys: readonly SecretKey[], refuse: Refuse): void {
  if (keys.length === 0) {
    refuse(
      `data is empty: list objectName and key of each file, or set the class's annotation ${SYNC_ALL_KEYS} to "true" for a key of every file`,
      'data',
    );
    return;
  }
  const problem = typeProblem(type, new Set(keys.map(({ key }) => key)));
  if (problem !== undefined) {
    refuse(problem, 'data');
  }
}

/** @returns undefined if the keys are invalid */
function parseData(data: unknown, files: SecretContext['files'], refuse: Refuse): readonly SecretKey[] | undefined {
  if (data === undefined || data === null) {
    return [];
  }
  if (!Array.isArray(data)) {
    refuse('data must be a list of objectName and key', 'data');
    return undefined;
  }
  if (data.length > MAX_KEYS) {
    refuse(`data has ${data.length} entries, more than the ${MAX_KEYS} a Secret may have: make two of it`, 'data');
    return undefined;
  }
  const keys = new Map<string, SecretKey>();
  for (const [index, entry] of data.entries()) {
    function refuseHere(message: string, ...path: ClassPath): void {
      refuse(`data[${index}]: ${message}`, 'data', index, ...path);
    }
    if (!isFields(entry)) {
      refuseHere('wants objectName and key');
      return undefined;
    }
    const file = requiredText(entry, 'objectName', refuseHere);
    if (file !== '' && files?.has(file) === false) {
      refuseHere(unknownFile(file, files), 'objectName');
    }
    const key = requiredText(entry, 'key', refuseHere);
    const problem = key === '' ? undefined : dataKeyProblem(key);
    if (problem !== undefined) {
      refuseHere(`${quote(key)} cannot be a key of a Secret: it ${problem}`, 'key');
    } else if (keys.has(key)) {
      refuseHere(`the key ${quote(key)} is there twice: give one of them another name`, 'key');
    }
    keys.set(key, { key, file });
  }
  return [...keys.values()];
}

function parseLabels(labels: unknown, refuse: Refuse): ReadonlyMap<string, string> {
  const texts = parseTexts(labels, 'labels', refuse);
  for (const [key, value] of texts) {
    checkName(key, key, 'labels', refuse);
    const problem = labelValueProblem(value);
    if (problem !== undefined) {
      refuse(`the value ${quote(value)} of the label ${quote(key)} is not possible: it ${problem}`, 'labels', key);
    }
  }
  return texts;
}

function parseAnnotations(annotations: unknown, refuse: Refuse): ReadonlyMap<string, string> {
  const texts = parseTexts(annotations, 'annotations', refuse);
  let size = 0;
  for (const [key, value] of texts) {
    // The API server checks the lower-case form, for annotations only.
    checkName(key, key.toLowerCase(), 'annotations', refuse);
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
    if (key === AS_OF || key === FIELDS) {
      refuse(`the annotation ${key} is the provider's own: leave it out`, 'annotations', key);
    }
  }
  if (size > MAX_ANNOTATION_BYTES) {
    refuse(`annotations cannot hold more than ${MAX_ANNOTATION_BYTES} bytes together`, 'annotations');
  }
  return texts;
}

function checkPolicy(
  field: 'labels' | 'annotations',
  texts: ReadonlyMap<string, string>,
  policy: SecretPolicy,
  forbid: Refuse,
): void {
  for (const [key, value] of texts) {
    const refusal = forbiddenMetadata(field, key, value, policy);
    if (refusal !== undefined) {
      forbid(refusal, field, key);
    }
  }
}

function checkName(key: string, looksLike: string, field: 'labels' | 'annotations', refuse: Refuse): void {
  const problem = qualifiedNameProblem(looksLike);
  if (problem !== undefined) {
    refuse(`${quote(key)} cannot be a name in ${field}: it ${problem}`, field, key);
  }
}

function parseTexts(map: unknown, field: 'labels' | 'annotations', refuse: Refuse): ReadonlyMap<string, string> {
  const texts = new Map<string, string>();
  if (map === undefined || map === null) {
    return texts;
  }
  if (!isFields(map)) {
    refuse(`${field} must be a map of texts`, field);
    return texts;
  }
  const entries = Object.entries(map);
  if (entries.length > MAX_TEXTS) {
    refuse(`${field} has ${entries.length} entries, more than the ${MAX_TEXTS} a Secret may have`, field);
    return texts;
  }
  for (const [key, value] of entries) {
    if (typeof value === 'string') {
      texts.set(key, value);
    } else {
      refuse(`the value of ${quote(key)} in ${field} must be a text: quote it`, field, key);
    }
  }
  return texts;
}

/** @returns '' if it is missing, after a problem was reported */
function requiredText(fields: Fields, field: string, refuse: Refuse, remedy = ''): string {
  const value = fields[field] ?? '';
  const text = textOf(value);
  if (text === '') {
    refuse(typeof value === 'string' ? `${field} is empty${remedy}` : `${field} must be a text: quote it`, field);
  }
  return text;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value.trim() : '';
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
