import forge from 'node-forge';

export type Asn1 = forge.asn1.Asn1;

/** Octets; AWS's greatest value has 65,536. */
const MAX_SIZE = 256 * 1024;
/** A PFX has some hundred values, ten deep; the library takes any number, and goes as deep as the stack does. */
const MAX_VALUES = 10_000;
const MAX_DEPTH = 40;
const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;
const INDEFINITE = 0x80;

/**
 * Reads one value of ASN.1, in DER or BER, once it is known to be small and flat enough.
 * @throws Error, which may quote it
 */
export function parseBer(bytes: Uint8Array): Asn1 {
  if (bytes.length > MAX_SIZE) {
    throw new RangeError('too long');
  }
  checkShape(bytes);
  // Bit strings are left as they are: the library guesses whether there is a value within, level by level.
  const options = { strict: true, decodeBitStrings: false };
  return forge.asn1.fromDer(Buffer.from(bytes).toString('latin1'), options as unknown as boolean);
}

/** Goes over all values once, without recursion. */
function checkShape(bytes: Uint8Array): void {
  /** Where the values end that are open; Infinity for those that end at a mark. */
  const open: number[] = [];
  let at = 0;
  for (let values = 0; at < bytes.length; values++) {
    const { isConstructed, start, end } = headerAt(bytes, at);
    if (values >= MAX_VALUES || open.length >= MAX_DEPTH) {
      throw new RangeError('too many values, or too deep');
    }
    const isMark = bytes[at] === 0 && start === end;
    if (isMark && open.at(-1) === Infinity) {
      open.pop();
      at = end;
    } else if (isConstructed) {
      open.push(end);
      at = start;
    } else {
      at = end;
    }
    while (open.length > 0 && at >= (open.at(-1) ?? Infinity)) {
      open.pop();
    }
  }
}

/** Where a value's content starts and ends; Infinity where it ends at a mark. */
function headerAt(bytes: Uint8Array, at: number) {
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1];
  if ((tag & LONG_TAG) === LONG_TAG || first === undefined) {
    throw new TypeError('a tag that a PFX does not have');
  }
  const isConstructed = (tag & CONSTRUCTED) !== 0;
  if (first === INDEFINITE) {
    if (!isConstructed) {
      throw new TypeError('a value without an end');
    }
    return { isConstructed, start: at + 2, end: Infinity };
  }
  const extra = first < INDEFINITE ? 0 : first - INDEFINITE;
  const length =
    extra === 0 ? first : Number(`0x0${Buffer.from(bytes.subarray(at + 2, at + 2 + extra)).toString('hex')}`);
  const start = at + 2 + extra;
  if (start + length > bytes.length) {
    throw new RangeError('cut off');
  }
  return { isConstructed, start, end: start + length };
}

export function childrenOf({ value }: Asn1): readonly Asn1[] {
  if (!Array.isArray(value)) {
    throw new TypeError('a value where a list should be');
  }
  return value;
}

export function child(node: Asn1, index: number): Asn1 {
  const found = childrenOf(node)[index];
  if (found === undefined) {
    throw new TypeError('something is missing');
  }
  return found;
}

/** What an explicit tag is around. */
export function inner(node: Asn1): Asn1 {
  return child(node, 0);
}

/** In BER bytes may come in pieces. */
export function octetsOf({ value }: Asn1): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.concat(value.map(octetsOf));
}

/** Of a list that starts with one. */
export function oidOf(node: Asn1): string {
  return forge.asn1.derToOid(octetsOf(child(node, 0)).toString('latin1'));
}

export function derOf(node: Asn1): Uint8Array {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
}
