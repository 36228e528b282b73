import type { ProviderClass } from '../model/kube-objects.ts';
import { quote } from '../text/quote.ts';
import { parseSecretObject, secretNameOf } from './parse-secret-object.ts';
import { newProblemList } from './problem-list.ts';
import { DEFAULT_POLICY, type SecretPolicy } from './secret-policy.ts';
import {
  type ClassPath,
  type SecretProblem,
  type SecretReport,
  type SecretSpec,
  SYNC_ALL_KEYS,
  SYNC_IMMUTABLE,
} from './secret-spec.ts';

interface SecretsReading {
  /** The valid entries. */
  readonly secrets: readonly SecretSpec[];
  readonly problems: readonly SecretProblem[];
}

const PARAMETER = 'secretObjects';
/** Each Secret costs some calls to the API server on every node that has a pod of the class. */
const MAX_SECRETS = 100;

/**
 * Parses the `secretObjects` of a class. Never throws.
 * @param files files of the class's volumes, if they are known, to check that keys refer to them
 * @param policy types, labels and annotations that the operator allows
 */
export function parseSecretObjects(
  { secretObjects, annotations }: Pick<ProviderClass, 'secretObjects' | 'annotations'>,
  files?: ReadonlySet<string>,
  policy: SecretPolicy = DEFAULT_POLICY,
): SecretsReading {
  const secrets: SecretSpec[] = [];
  const problems = newProblemList<SecretProblem>();

  function report(message: string, path: ClassPath, isOfPolicy?: true): void {
    problems.add({ message, parameter: PARAMETER, path, ...(isOfPolicy && { isOfPolicy }) });
  }

  const entries = listOf(secretObjects, report);
  if (entries.length > 0) {
    const takesAllFiles = isOn(SYNC_ALL_KEYS, annotations, report);
    const context = { takesAllFiles, isImmutable: isOn(SYNC_IMMUTABLE, annotations, report), files, policy };
    const placeByName = new Map<string, string>();
    for (const [index, entry] of entries.entries()) {
      const before = problems.size;
      const place = `${PARAMETER}[${index}]`;
      const name = secretNameOf(entry);
      const title = name === '' ? place : `${place} ${quote(name)}`;
      function reportHere(message: string, path: ClassPath, isOfPolicy?: true): void {
        report(`${title}: ${message}`, ['spec', PARAMETER, index, ...path], isOfPolicy);
      }

      const secret = parseSecretObject(entry, context, reportHere);
      const rival = placeByName.get(name);
      if (rival !== undefined) {
        reportHere(`${rival} has the same secretName: put all keys of the Secret into one entry`, ['secretName']);
      } else if (name !== '') {
        placeByName.set(name, place);
      }
      if (secret !== undefined && problems.size === before) {
        secrets.push(secret);
      }
    }
  }
  return { secrets, problems: problems.all() };
}

function listOf(secretObjects: unknown, report: SecretReport): readonly unknown[] {
  const entries = secretObjects ?? [];
  if (!Array.isArray(entries)) {
    report('secretObjects must be a list', ['spec', PARAMETER]);
    return [];
  }
  if (entries.length > MAX_SECRETS) {
    report(
      `secretObjects has ${entries.length} entries, more than the ${MAX_SECRETS} a class may have: put several keys into one Secret, or split the class in two`,
      ['spec', PARAMETER],
    );
    return [];
  }
  return entries;
}

function isOn(annotation: string, annotations: ReadonlyMap<string, string>, report: SecretReport): boolean {
  const value = annotations.get(annotation) ?? 'false';
  if (value !== 'true' && value !== 'false') {
    const message = `the annotation ${annotation} must be "true" or "false", not ${quote(value)}`;
    report(message, ['metadata', 'annotations', annotation]);
  }
  return value === 'true';
}
