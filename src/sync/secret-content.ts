import type { PlannedFile } from '../model/mount-plan.ts';
import type { SecretBytes } from '../model/secret-bytes.ts';
import { unknownFile } from '../class/parse-secret-object.ts';
import { quote } from '../text/quote.ts';
import { dataKeyProblem, TLS_TYPE, typeProblem } from '../class/secret-rules.ts';
import type { SecretSpec } from '../class/secret-spec.ts';
import { MANAGED_LABEL } from './ownership.ts';
import { refused } from './refused.ts';
import type { SecretContent } from './secret-api.ts';
import type { TlsReader } from './tls-reader.ts';
import { readTls } from './tls.ts';

/** `MaxSecretSize` of kubernetes/pkg/apis/core. */
const MAX_BYTES = 1024 * 1024;

/**
 * Builds the content of a Secret from the files.
 * @param reader shared by all Secrets of the mount; reads certificates and keys
 * @throws ProviderError SecretRefused
 */
export async function secretContent(
  spec: SecretSpec,
  files: readonly PlannedFile[],
  reader: TlsReader,
): Promise<SecretContent> {
  const chosen = chooseFiles(spec, files);
  const data =
    spec.type === TLS_TYPE
      ? await readTls(spec, chosen, reader)
      : new Map(Array.from(chosen, ([key, { value }]) => [key, value] as const));
  checkSize(spec, data);
  const { type, isImmutable, annotations } = spec;
  return { type, isImmutable, labels: new Map([...spec.labels, MANAGED_LABEL]), annotations, data };
}

/** Chooses the file of each key. @throws ProviderError SecretRefused */
function chooseFiles(spec: SecretSpec, files: readonly PlannedFile[]): ReadonlyMap<string, PlannedFile> {
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
function checkSize(spec: SecretSpec, data: ReadonlyMap<string, SecretBytes>): void {
  const size = [...data.values()].reduce((sum, value) => sum + value.size, 0);
  if (size > MAX_BYTES) {
    throw refused(
      spec,
      `its keys hold ${size} bytes together, more than the ${MAX_BYTES} a Secret may: make two of it`,
    );
  }
}
