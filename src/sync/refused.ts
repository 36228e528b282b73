import type { SecretSpec } from '../class/secret-spec.ts';
import { ProviderError } from '../model/errors.ts';
import { quote } from '../text/quote.ts';

/** The error for a Secret that cannot be made as the class asks. */
export function refused({ name }: Pick<SecretSpec, 'name'>, message: string, cause?: unknown): ProviderError {
  return new ProviderError('SecretRefused', `the Secret ${quote(name)}: ${message}`, { cause });
}
