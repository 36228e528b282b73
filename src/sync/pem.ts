/** A block from BEGIN to END (RFC 7468). */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
  /** Encrypted with a password, according to its headers (RFC 1421) or its label (RFC 5958). */
  readonly isLocked: boolean;
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';
/** A long chain has ten blocks, a bundle of all public CAs 150. */
const MAX_BLOCKS = 500;
/** UTF-16 units: the maximum size of a Secret. */
const MAX_TEXT = 1024 * 1024;
const LABEL = /^[A-Z0-9 ]{1,64}$/;
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;

/** Reads the blocks of a text in their order. Text between blocks and malformed blocks are skipped. */
export function readPem(text: string): readonly PemBlock[] {
  return text
    .slice(0, MAX_TEXT)
    .split(BEGIN, MAX_BLOCKS + 1)
    .slice(1)
    .flatMap(readBlock);
}

function readBlock(text: string): readonly PemBlock[] {
  const label = text.slice(0, Math.max(0, text.indexOf(DASHES)));
  const start = label.length + DASHES.length;
  const end = text.indexOf(`${DASHES}END ${label}${DASHES}`, start);
  if (!LABEL.test(label) || end === -1 || !/\s/.test(text.charAt(start))) {
    return [];
  }
  const lines = text.slice(start, end).split('\n');
  const headers = lines.filter((line) => line.includes(':'));
  const base64 = lines.filter((line) => !line.includes(':')).join('\n');
  if (!BASE64.test(base64)) {
    return [];
  }
  const isLocked =
    label.startsWith('ENCRYPTED') ||
    headers.some((header) => header.startsWith('Proc-Type:') && header.includes('ENCRYPTED'));
  return [{ label, der: Buffer.from(base64, 'base64'), isLocked }];
}
