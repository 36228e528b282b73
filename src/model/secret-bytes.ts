import { inspect } from 'node:util';

/** Bytes of a secret or token; prints as a placeholder wherever a program prints things. */
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

  /** The only way out. Called where bytes leave this process, or are looked into, and nowhere else. */
  expose(): Uint8Array {
    return this.#bytes;
  }

  /** `expose`, as text: what is not UTF-8 becomes U+FFFD. */
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
