import type { PlannedFile } from '../model/mount-plan.ts';
import { TLS_TYPE } from '../class/secret-rules.ts';
import type { SecretSpec } from '../class/secret-spec.ts';
import { chooseFiles, planSecret, type SecretContent } from './secret-content.ts';
import type { TlsReader } from './tls-reader.ts';
import { readTls } from './tls.ts';

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
  return planSecret(spec, data);
}
