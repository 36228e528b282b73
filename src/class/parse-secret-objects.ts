import type { ProviderClass } from '../model/kube-objects.ts';
import { parseSecretObject, secretNameOf } from './parse-secret-object.ts';
import { quote } from '../text/quote.ts';
import { DEFAULT_POLICY, type SecretPolicy } from './secret-policy.ts';
import { type ClassPath, type SecretProblem, type SecretSpec, SYNC_ALL_KEYS, SYNC_IMMUTABLE } from './secret-spec.ts';

export interface SecretsReading {
  /** The valid entries. */
  readonly secrets: readonly SecretSpec[];
  readonly problems: readonly SecretProblem[];
}

const PARAMETER = 'secretObjects';
/** Each Secret costs some calls to the API server on every node that has a pod of the class. */
const MAX_SECRETS = 100;
/** More would not be read, and each may be long. */
const MAX_PROBLEMS = 50;

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
  const problems: SecretProblem[] = [];
  const placeByName = new Map<string, string>();

  if (secretObjects === undefined || secretObjects === null) {
    return { secrets, problems };
  }
  if (!Array.isArray(secretObjects)) {
    refuse('secretObjects must be a list', ['spec', PARAMETER]);
    return { secrets, problems };
  }
  if (secretObjects.length > MAX_SECRETS) {
    const message = `secretObjects has ${secretObjects.length} entries, more than the ${MAX_SECRETS} a class may have: put several keys into one Secret, or make two classes of it`;
    refuse(message, ['spec', PARAMETER]);
    return { secrets, problems };
  }
  const context = { takesAllFiles: isOn(SYNC_ALL_KEYS), isImmutable: isOn(SYNC_IMMUTABLE), files, policy };
  for (const [index, entry] of secretObjects.entries()) {
    parseEntry(index, entry);
  }
  return { secrets, problems };

  function refuse(message: string, path: ClassPath, isOfPolicy = false): void {
    if (problems.length < MAX_PROBLEMS) {
      problems.push({ message, parameter: PARAMETER, path, ...(isOfPolicy && { isOfPolicy }) });
    }
  }

  function isOn(annotation: string): boolean {
    const value = annotations.get(annotation) ?? 'false';
    if (value !== 'true' && value !== 'false') {
      const message = `the annotation ${annotation} must be "true" or "false", not ${quote(value)}`;
      refuse(message, ['metadata', 'annotations', annotation]);
    }
    return value === 'true';
  }

  function parseEntry(index: number, entry: unknown): void {
    let isSound = true;
    const place = `${PARAMETER}[${index}]`;
    const name = secretNameOf(entry);
    const title = name === '' ? place : `${place} ${quote(name)}`;

    function refuseHere(message: string, ...path: ClassPath): void {
      isSound = false;
      refuse(`${title}: ${message}`, ['spec', PARAMETER, index, ...path]);
    }

    function forbidHere(message: string, ...path: ClassPath): void {
      isSound = false;
      refuse(`${title}: ${message}`, ['spec', PARAMETER, index, ...path], true);
    }

    const secret = parseSecretObject(entry, context, refuseHere, forbidHere);
    const rival = placeByName.get(name);
    if (rival !== undefined) {
      refuseHere(`${rival} makes the same Secret: put all its keys into one`, 'secretName');
    } else if (name !== '') {
      placeByName.set(name, place);
    }
    if (secret !== undefined && isSound) {
      secrets.push(secret);
    }
  }
}
