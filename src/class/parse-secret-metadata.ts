import { quote } from '../text/quote.ts';
import { forbiddenMetadata, type SecretPolicy } from './secret-policy.ts';
import { labelValueProblem, qualifiedNameProblem } from './secret-rules.ts';
import { AS_OF, FIELDS, isFields, type SecretReport } from './secret-spec.ts';

const MAX_ANNOTATION_BYTES = 256 * 1024;
/** Maximum number of labels and of annotations. */
const MAX_ENTRIES = 100;

/** Parses the labels or annotations of an entry of `secretObjects`. */
export function parseMetadata(
  field: 'labels' | 'annotations',
  given: unknown,
  policy: SecretPolicy,
  report: SecretReport,
): ReadonlyMap<string, string> {
  if (!isFields(given)) {
    report(`${field} must be a map of texts`, [field]);
    return new Map();
  }
  const entries = Object.entries(given);
  if (entries.length > MAX_ENTRIES) {
    report(`${field} has ${entries.length} entries, more than the ${MAX_ENTRIES} a Secret may have`, [field]);
    return new Map();
  }
  const texts = new Map<string, string>();
  for (const [key, value] of entries) {
    if (typeof value !== 'string') {
      report(`the value of ${quote(key)} in ${field} must be a text: quote it`, [field, key]);
      continue;
    }
    texts.set(key, value);
    for (const problem of field === 'labels' ? labelProblems(key, value) : annotationProblems(key)) {
      report(problem, [field, key]);
    }
    const refusal = forbiddenMetadata(field, key, value, policy);
    if (refusal !== undefined) {
      report(refusal, [field, key], true);
    }
  }
  const size = [...texts].flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (field === 'annotations' && size > MAX_ANNOTATION_BYTES) {
    report(`annotations cannot hold more than ${MAX_ANNOTATION_BYTES} bytes together`, [field]);
  }
  return texts;
}

function labelProblems(key: string, value: string): readonly string[] {
  const name = qualifiedNameProblem(key);
  const problem = labelValueProblem(value);
  return [
    ...(name === undefined ? [] : [`${quote(key)} cannot be a name in labels: it ${name}`]),
    ...(problem === undefined
      ? []
      : [`the value ${quote(value)} of the label ${quote(key)} is not possible: it ${problem}`]),
  ];
}

function annotationProblems(key: string): readonly string[] {
  // The API server checks the lower-case form, for annotations only.
  const name = qualifiedNameProblem(key.toLowerCase());
  return [
    ...(name === undefined ? [] : [`${quote(key)} cannot be a name in annotations: it ${name}`]),
    ...(key === AS_OF || key === FIELDS ? [`the annotation ${key} is the provider's own: leave it out`] : []),
  ];
}
