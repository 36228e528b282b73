import { ProviderError } from '../model/errors.ts';
import type { PlannedFile } from '../model/mount-plan.ts';
import type { SecretBytes } from '../model/secret-bytes.ts';
import { unknownFile } from '../class/parse-secret-object.ts';
import { quote } from '../text/quote.ts';
import { dataKeyProblem, typeProblem } from '../class/secret-rules.ts';
import type { SecretSpec } from '../class/secret-spec.ts';

/** The desired content of a Secret. */
export interface SecretContent {
  readonly type: string;
  readonly isImmutable: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly data: ReadonlyMap<string, SecretBytes>;
}

/** Label of the driver's own sync: the driver watches Secrets with it, and treats them as its own. */
export const MANAGED_LABEL = ['secrets-store.csi.k8s.io/managed', 'true'] as const;

/** `MaxSecretSize` of kubernetes/pkg/apis/core. */
const MAX_BYTES = 1024 * 1024;

/**
 * Chooses the file of each key.
 * @throws ProviderError SecretRefused
 */
export function chooseFiles(spec: SecretSpec, files: readonly PlannedFile[]): ReadonlyMap<string, PlannedFile> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const chosen = new Map<string, PlannedFile>();
  for (const { key, file: path } of spec.keys) {
    const file = byPath.get(path);
    if (file === undefined) {
      throw refused(spec, `the key ${quote(key)}: ${unknownFile(path, byPath.keys())}`);
    }
    chosen.set(key, file);
  }
  if (!spec.takesAllFiles) {
    return chosen;
  }
  const named = new Set(spec.keys.map(({ file }) => file));
  for (const file of files.filter(({ path }) => !named.has(path))) {
    addFile(spec, chosen, file);
  }
  const problem = typeProblem(spec.type, new Set(chosen.keys()));
  if (problem !== undefined) {
    throw refused(spec, problem);
  }
  return chosen;
}

/** Adds a file under a key with its own name. */
function addFile(spec: SecretSpec, chosen: Map<string, PlannedFile>, file: PlannedFile): void {
  const key = file.path.replaceAll('/', '_');
  const problem = dataKeyProblem(key);
  if (problem !== undefined) {
    throw refused(
      spec,
      `the file ${quote(file.path)} cannot be a key: it ${problem}: set another objectAlias, or name its key in data`,
    );
  }
  const rival = chosen.get(key);
  if (rival !== undefined) {
    throw refused(
      spec,
      `the files ${quote(rival.path)} and ${quote(file.path)} cannot both be the key ${quote(key)}: name the key of one in data`,
    );
  }
  chosen.set(key, file);
}

/** @throws ProviderError SecretRefused if it is larger than the API server allows */
export function planSecret(spec: SecretSpec, data: ReadonlyMap<string, SecretBytes>): SecretContent {
  const size = [...data.values()].reduce((sum, value) => sum + value.size, 0);
  if (size > MAX_BYTES) {
    throw refused(
      spec,
      `its keys hold ${size} bytes together, more than the ${MAX_BYTES} a Secret may: make two of it`,
    );
  }
  const { type, isImmutable, annotations } = spec;
  return { type, isImmutable, labels: new Map([...spec.labels, MANAGED_LABEL]), annotations, data };
}

export function refused({ name }: Pick<SecretSpec, 'name'>, message: string, cause?: unknown): ProviderError {
  return new ProviderError('SecretRefused', `the Secret ${quote(name)}: ${message}`, { cause });
}
