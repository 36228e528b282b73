/** What stands between a BEGIN and its END (RFC 7468). */
export interface PemBlock {
  readonly label: string;
  readonly der: Uint8Array;
  /** Its headers say that it has a password (RFC 1421), or its label does (RFC 5958). */
  readonly isLocked: boolean;
}

const BEGIN = '-----BEGIN ';
const BLOCK = /^([A-Z0-9 ]+)-----\s([^]*?)-----END \1-----/;
const BASE64 = /^[A-Za-z0-9+/=\s]+$/;

/** The blocks of a text, in their order; whatever else is in it is passed over, and what is no block too. */
export function readPem(text: string): readonly PemBlock[] {
  return text.split(BEGIN).slice(1).flatMap(readBlock);
}

function readBlock(text: string): readonly PemBlock[] {
  const [, label = '', body = ''] = BLOCK.exec(text) ?? [];
  const lines = body.split('\n');
  const headers = lines.filter((line) => line.includes(':'));
  const base64 = lines.filter((line) => !line.includes(':')).join('\n');
  if (!BASE64.test(base64)) {
    return [];
  }
  const isLocked = label.startsWith('ENCRYPTED') || headers.some((header) => /^Proc-Type:.*ENCRYPTED/.test(header));
  return [{ label, der: Buffer.from(base64, 'base64'), isLocked }];
}
