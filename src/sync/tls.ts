import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { PlannedFile } from '../model/mount-plan.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { quote } from '../text/quote.ts';
import { TLS_CERTIFICATES } from '../class/secret-rules.ts';
import type { SecretSpec } from '../class/secret-spec.ts';
import { refused } from './refused.ts';
import { MAX_ROUNDS } from './rounds.ts';
import type { TlsFile, TlsReader } from './tls-reader.ts';

/** The DER of a key does not name its format, so all are tried. */
const KEY_FORMS = ['pkcs8', 'pkcs1', 'sec1'] as const;
/** Format in which keys of each type are written, as the driver does. */
const WRITTEN_FORMS = new Map<KeyObject['asymmetricKeyType'], 'pkcs1' | 'sec1'>([
  ['rsa', 'pkcs1'],
  ['ec', 'sec1'],
]);

/**
 * Builds the keys of a Secret of type `kubernetes.io/tls` in PEM: the certificates of one file, and the private key of another or the same.
 * @param chosen files of the keys `tls.crt` and `tls.key`
 * @param reader shared by all Secrets of the mount
 * @throws ProviderError SecretRefused
 */
export async function readTls(
  spec: SecretSpec,
  chosen: ReadonlyMap<string, PlannedFile>,
  reader: TlsReader,
): Promise<ReadonlyMap<string, SecretBytes>> {
  const data = new Map<string, SecretBytes>();
  for (const [key, file] of chosen) {
    const content = await reader.read(file);
    if (content.takesTooLong) {
      throw refused(
        spec,
        `the PFX in the file ${quote(file.path)} takes too many rounds of key derivation: the PFX files of a volume may take ${MAX_ROUNDS} together: store it as PEM, or as a PFX of fewer rounds (openssl pkcs12 -export -iter 2048)`,
      );
    }
    data.set(key, key === TLS_CERTIFICATES ? certificates(spec, file, content) : privateKey(spec, file, content));
  }
  return data;
}

function certificates(spec: SecretSpec, file: PlannedFile, content: TlsFile): SecretBytes {
  if (content.certificates.length === 0) {
    throw nothingIn(spec, file, 'certificate');
  }
  return SecretBytes.fromText(content.certificates.map(certificatePem).join(''));
}

/** Omits the names of the parts of a PFX. The driver writes them into the PEM, and OpenSSL cannot read the certificate then. */
function certificatePem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function privateKey(spec: SecretSpec, file: PlannedFile, { key: der, isLocked }: TlsFile): SecretBytes {
  if (der === undefined) {
    throw nothingIn(spec, file, 'private key');
  }
  if (isLocked) {
    throw refused(spec, `the private key in the file ${quote(file.path)} has a password: store it without`);
  }
  const key = KEY_FORMS.map((form) => parseKey(der, form)).find((parsed) => parsed !== undefined);
  const form = WRITTEN_FORMS.get(key?.asymmetricKeyType);
  if (key === undefined || form === undefined) {
    const kind = key?.asymmetricKeyType ?? 'no kind that is known';
    throw refused(
      spec,
      `the private key in the file ${quote(file.path)} is of ${kind}: only RSA and ECDSA are possible`,
    );
  }
  return SecretBytes.fromText(key.export({ format: 'pem', type: form }).toString());
}

/** @returns undefined if it has another format. The cause is dropped, because it might quote the key. */
function parseKey(der: Uint8Array, type: (typeof KEY_FORMS)[number]): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type });
  } catch {
    return undefined;
  }
}

function nothingIn(spec: SecretSpec, file: PlannedFile, what: string) {
  return refused(
    spec,
    `there is no ${what} in the file ${quote(file.path)}: it must be PEM, or a PFX (PKCS #12) without a password`,
  );
}
