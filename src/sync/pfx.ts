import forge from 'node-forge';

/** What a PFX holds, in its order, in DER. */
export interface PfxContent {
  readonly certificates: readonly Uint8Array[];
  /** As PKCS #8. */
  readonly keys: readonly Uint8Array[];
}

type Asn1 = forge.asn1.Asn1;

/** RFC 7292 and RFC 2315. */
const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  key: '1.2.840.113549.1.12.10.1.1',
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
};
/**
 * Rounds of key derivation for one file, all its parts together. They run on the one thread that serves all pods: this many take a fifth of a second.
 * openssl makes a file with 2048 a part, Java one with 10,000.
 */
const MAX_ROUNDS = 20_000;
/** "No password" is written in two ways: as an empty text, and as none. */
const NO_PASSWORDS = ['', null] as const;

/**
 * Reads a PFX (PKCS #12) without a password. Its checksum is not looked at: it only tells a wrong password, and so does decrypting.
 *
 * The library's own reader is not used, as it takes any number of rounds, and writes certificates anew instead of as they are.
 * @returns undefined for what is none, or none that can be read without a password
 */
export function readPfx(bytes: Uint8Array): PfxContent | undefined {
  for (const password of NO_PASSWORDS) {
    try {
      return decode(Buffer.from(bytes).toString('latin1'), password);
    } catch {
      // What the library says of it may quote it.
    }
  }
  return undefined;
}

function decode(text: string, password: string | null): PfxContent {
  const { asn1, pki } = forge;
  const certificates: Uint8Array[] = [];
  const keys: Uint8Array[] = [];
  let rounds = 0;

  const [, authSafe] = childrenOf(asn1.fromDer(text));
  for (const content of childrenOf(asn1.fromDer(octetsOf(contentOf(authSafe, OID.data))))) {
    const safe =
      oidOf(content) === OID.data
        ? asn1.fromDer(octetsOf(contentOf(content, OID.data)))
        : decryptContent(contentOf(content, OID.encryptedData));
    for (const bag of childrenOf(safe)) {
      readBag(bag);
    }
  }
  return { certificates, keys };

  function readBag(bag: Asn1): void {
    const value = inner(child(bag, 1));
    switch (oidOf(bag)) {
      case OID.certificate:
        certificates.push(Buffer.from(octetsOf(inner(child(value, 1))), 'latin1'));
        break;
      case OID.key:
        keys.push(derOf(value));
        break;
      case OID.shroudedKey:
        keys.push(derOf(decrypt(child(value, 0), child(value, 1))));
        break;
      default:
      // Lists of revoked certificates and secrets have no place in a Secret of this type.
    }
  }

  /** EncryptedData: version, and what is encrypted: type, algorithm, bytes. */
  function decryptContent(encrypted: Asn1): Asn1 {
    const content = child(encrypted, 1);
    return decrypt(child(content, 1), child(content, 2));
  }

  function decrypt(algorithm: Asn1, encrypted: Asn1): Asn1 {
    rounds += greatestInteger(algorithm);
    if (rounds > MAX_ROUNDS) {
      throw new RangeError('too many rounds');
    }
    const { Class, Type } = asn1;
    const bytes = asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, octetsOf(encrypted));
    const info = asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [algorithm, bytes]);
    // Its types know no absent password.
    const decrypted: Asn1 | null = pki.decryptPrivateKeyInfo(info, password as string);
    if (decrypted === null) {
      throw new RangeError('wrong password');
    }
    return decrypted;
  }

  /** Among the parameters of an algorithm the number of rounds is the greatest; the others are lengths. */
  function greatestInteger({ tagClass, type, value }: Asn1): number {
    if (Array.isArray(value)) {
      return Math.max(0, ...value.map(greatestInteger));
    }
    if (type !== asn1.Type.INTEGER || tagClass !== asn1.Class.UNIVERSAL) {
      return 0;
    }
    // Where it reads rounds, the library knows no sign.
    const integer = asn1.derToInteger(value);
    return integer < 0 ? Infinity : integer;
  }

  function oidOf(node: Asn1): string {
    return asn1.derToOid(octetsOf(child(node, 0)));
  }

  /** ContentInfo: its type, and the content in a tag of its own. */
  function contentOf(info: Asn1 | undefined, oid: string): Asn1 {
    if (info === undefined || oidOf(info) !== oid) {
      throw new TypeError('another type of content');
    }
    return inner(child(info, 1));
  }

  function derOf(node: Asn1): Uint8Array {
    return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
  }
}

function childrenOf({ value }: Asn1): readonly Asn1[] {
  if (!Array.isArray(value)) {
    throw new TypeError('a value where a list should be');
  }
  return value;
}

function child(node: Asn1, index: number): Asn1 {
  const found = childrenOf(node)[index];
  if (found === undefined) {
    throw new TypeError('something is missing');
  }
  return found;
}

/** What an explicit tag is around. */
function inner(node: Asn1): Asn1 {
  return child(node, 0);
}

/** In BER bytes may come in pieces. */
function octetsOf({ value }: Asn1): string {
  return typeof value === 'string' ? value : value.map(octetsOf).join('');
}
