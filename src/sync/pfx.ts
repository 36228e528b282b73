import { type Asn1, child, childrenOf, derOf, inner, octetsOf, oidOf, parseBer } from './ber.ts';
import { decryptPart, type NoPassword } from './pbe.ts';
import type { FileRounds } from './rounds.ts';

/** Content of a PFX in its order, in DER. */
export interface PfxContent {
  readonly certificates: readonly Uint8Array[];
  /** As PKCS #8. */
  readonly keys: readonly Uint8Array[];
}

/** RFC 7292 and RFC 2315. */
const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
};
const NO_PASSWORDS = ['', null] as const;

/**
 * Reads a PFX (PKCS #12) without a password. Its checksum is not verified: it only detects a wrong password, and so does decryption.
 *
 * The library's own reader is not used: it derives keys with any number of rounds on the thread that serves all pods, and it re-encodes certificates.
 * @returns undefined if the bytes are not a PFX, or need a password or more rounds
 */
export async function readPfx(bytes: Uint8Array, rounds: FileRounds): Promise<PfxContent | undefined> {
  for (const password of NO_PASSWORDS) {
    try {
      return await decode(bytes, password, rounds);
    } catch {
      // The library's error may quote the content.
    }
  }
  return undefined;
}

async function decode(bytes: Uint8Array, password: NoPassword, rounds: FileRounds): Promise<PfxContent> {
  const certificates: Uint8Array[] = [];
  const keys: Uint8Array[] = [];

  const authSafe = child(parseBer(bytes), 1);
  for (const content of childrenOf(parseBer(octetsOf(contentOf(authSafe, OID.data))))) {
    const safe =
      oidOf(content) === OID.data
        ? parseBer(octetsOf(contentOf(content, OID.data)))
        : await decryptContent(contentOf(content, OID.encryptedData));
    for (const bag of childrenOf(safe)) {
      await readBag(bag);
    }
  }
  return { certificates, keys };

  async function readBag(bag: Asn1): Promise<void> {
    const value = inner(child(bag, 1));
    switch (oidOf(bag)) {
      case OID.certificate:
        certificates.push(octetsOf(inner(child(value, 1))));
        break;
      case OID.key:
        keys.push(derOf(value));
        break;
      case OID.shroudedKey:
        keys.push(derOf(await decrypt(child(value, 0), child(value, 1))));
        break;
      default:
      // Revocation lists and other secrets are not part of a Secret of this type.
    }
  }

  /** EncryptedData: a version and the encrypted content, which has type, algorithm and bytes. */
  async function decryptContent(encrypted: Asn1): Promise<Asn1> {
    const content = child(encrypted, 1);
    return await decrypt(child(content, 1), child(content, 2));
  }

  async function decrypt(algorithm: Asn1, encrypted: Asn1): Promise<Asn1> {
    return parseBer(await decryptPart(algorithm, octetsOf(encrypted), password, rounds));
  }
}

/** ContentInfo: a type, and the content in an explicit tag. */
function contentOf(info: Asn1, oid: string): Asn1 {
  if (oidOf(info) !== oid) {
    throw new TypeError('another type of content');
  }
  return inner(child(info, 1));
}
