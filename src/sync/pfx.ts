import { type Asn1, child, childrenOf, derOf, inner, octetsOf, oidOf, parseBer } from './ber.ts';
import { decryptPart, type NoPassword } from './pbe.ts';
import type { FileRounds } from './rounds.ts';

/** What a PFX holds, in its order, in DER. */
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
 * Reads a PFX (PKCS #12) without a password. Its checksum is not looked at: it only tells a wrong password, and so does decrypting.
 *
 * The library's own reader is not used, as it takes any number of rounds on the thread that serves all pods, and writes certificates anew instead
 * of as they are.
 * @returns undefined for what is none, or none that can be read without a password and in those rounds
 */
export async function readPfx(bytes: Uint8Array, rounds: FileRounds): Promise<PfxContent | undefined> {
  for (const password of NO_PASSWORDS) {
    try {
      return await decode(bytes, password, rounds);
    } catch {
      // What the library says of it may quote it.
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
      // Lists of revoked certificates and secrets have no place in a Secret of this type.
    }
  }

  /** EncryptedData: version, and what is encrypted: type, algorithm, bytes. */
  async function decryptContent(encrypted: Asn1): Promise<Asn1> {
    const content = child(encrypted, 1);
    return await decrypt(child(content, 1), child(content, 2));
  }

  async function decrypt(algorithm: Asn1, encrypted: Asn1): Promise<Asn1> {
    return parseBer(await decryptPart(algorithm, octetsOf(encrypted), password, rounds));
  }
}

/** ContentInfo: its type, and the content in a tag of its own. */
function contentOf(info: Asn1, oid: string): Asn1 {
  if (oidOf(info) !== oid) {
    throw new TypeError('another type of content');
  }
  return inner(child(info, 1));
}
