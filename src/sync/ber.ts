import forge from 'node-forge';

export type Asn1 = forge.asn1.Asn1;

/** Bytes; a value of AWS has at most 65,536. */
const MAX_SIZE = 256 * 1024;
/** A PFX has about a hundred values, nested ten deep. The library itself has no limits, and recurses until the stack is full. */
const MAX_VALUES = 10_000;
const MAX_DEPTH = 40;
const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;
const INDEFINITE = 0x80;

/**
 * Reads one ASN.1 value, in DER or BER, after a check that it is small and flat enough.
 * @throws Error, which may quote the content: do not log it
 */
export function parseBer(bytes: Uint8Array): Asn1 {
  if (bytes.length > MAX_SIZE) {
    throw new RangeError('too long');
  }
  checkShape(bytes);
  // Bit strings are not decoded: the library would guess whether they contain values, at every level.
  const options = { strict: true, decodeBitStrings: false };
  return forge.asn1.fromDer(Buffer.from(bytes).toString('latin1'), options as unknown as boolean);
}

/** Counts values and depth without recursion. */
function checkShape(bytes: Uint8Array): void {
  /** Ends of the values that contain the current one; Infinity for indefinite lengths, which end at a marker. */
  const open: number[] = [];
  let at = 0;
  for (let values = 0; at < bytes.length; values++) {
    const { isConstructed, start, end } = headerAt(bytes, at);
    if (values >= MAX_VALUES || open.length >= MAX_DEPTH) {
      throw new RangeError('too many values, or too deep');
    }
    const isEndMarker = bytes[at] === 0 && start === end;
    if (isEndMarker && open.at(-1) === Infinity) {
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

/** Start and end of the content of a value; the end is Infinity for an indefinite length. */
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

/** The value inside an explicit tag. */
export function inner(node: Asn1): Asn1 {
  return child(node, 0);
}

/** BER allows to split a byte string into several pieces. */
export function octetsOf({ value }: Asn1): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'latin1') : Buffer.concat(value.map(octetsOf));
}

/** The object identifier that a sequence starts with. */
export function oidOf(node: Asn1): string {
  return forge.asn1.derToOid(octetsOf(child(node, 0)).toString('latin1'));
}

export function derOf(node: Asn1): Uint8Array {
  return Buffer.from(forge.asn1.toDer(node).getBytes(), 'latin1');
}
