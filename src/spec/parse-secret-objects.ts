import type { ProviderClass } from './kube-objects.ts';
import { parseSecretObject, secretNameOf } from './parse-secret-object.ts';
import { quote } from './quote.ts';
import { type ClassPath, type SecretProblem, type SecretSpec, SYNC_ALL_KEYS, SYNC_IMMUTABLE } from './secret-spec.ts';

export interface SecretsReading {
  /** Those that are sound. */
  readonly secrets: readonly SecretSpec[];
  readonly problems: readonly SecretProblem[];
}

const PARAMETER = 'secretObjects';

/**
 * Reads a class's `secretObjects`. Never throws.
 * @param files of the class's volumes, where they are known: keys cannot be made of others
 */
export function parseSecretObjects(
  { secretObjects, annotations }: Pick<ProviderClass, 'secretObjects' | 'annotations'>,
  files?: ReadonlySet<string>,
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
  const context = { takesAllFiles: isOn(SYNC_ALL_KEYS), isImmutable: isOn(SYNC_IMMUTABLE), files };
  for (const [index, entry] of secretObjects.entries()) {
    parseEntry(index, entry);
  }
  return { secrets, problems };

  function refuse(message: string, path: ClassPath): void {
    problems.push({ message, parameter: PARAMETER, path });
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
    const before = problems.length;
    const place = `${PARAMETER}[${index}]`;
    const name = secretNameOf(entry);
    const title = name === '' ? place : `${place} ${quote(name)}`;

    function refuseHere(message: string, ...path: ClassPath): void {
      refuse(`${title}: ${message}`, ['spec', PARAMETER, index, ...path]);
    }

    const secret = parseSecretObject(entry, context, refuseHere);
    const rival = placeByName.get(name);
    if (rival !== undefined) {
      refuseHere(`${rival} makes the same Secret: put all its keys into one`, 'secretName');
    } else if (name !== '') {
      placeByName.set(name, place);
    }
    if (secret !== undefined && problems.length === before) {
      secrets.push(secret);
    }
  }
}
