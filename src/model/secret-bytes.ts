import { inspect } from 'node:util';

/** Bytes of a secret or token. Printing or logging shows only a placeholder. */
export class SecretBytes {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static fromText(text: string): SecretBytes {
    return new SecretBytes(new TextEncoder().encode(text));
  }

  get size(): number {
    return this.#bytes.byteLength;
  }

  /** The only access to the bytes. Call it only where they leave the process or are parsed. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  /** `expose` as text: bytes that are not UTF-8 become U+FFFD. */
  exposeText(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.#bytes);
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return `SecretBytes(${this.size})`;
  }
}
