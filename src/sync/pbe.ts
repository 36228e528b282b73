import { createDecipheriv, hash, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { type Asn1, child, childrenOf, octetsOf, oidOf } from './ber.ts';
import type { FileRounds } from './rounds.ts';

/** A PFX can encode "no password" in two ways: as an empty password, and as none. */
export type NoPassword = '' | null;

/** RFC 8018. */
const PBES2 = '1.2.840.113549.1.5.13';
const PBKDF2 = '1.2.840.113549.1.5.12';
const DEFAULT_DIGEST = 'sha1';
const DIGESTS = new Map([
  ['1.2.840.113549.2.7', 'sha1'],
  ['1.2.840.113549.2.8', 'sha224'],
  ['1.2.840.113549.2.9', 'sha256'],
  ['1.2.840.113549.2.10', 'sha384'],
  ['1.2.840.113549.2.11', 'sha512'],
]);
const CIPHERS = new Map([
  ['2.16.840.1.101.3.4.1.2', { name: 'aes-128-cbc', keySize: 16 }],
  ['2.16.840.1.101.3.4.1.22', { name: 'aes-192-cbc', keySize: 24 }],
  ['2.16.840.1.101.3.4.1.42', { name: 'aes-256-cbc', keySize: 32 }],
  ['1.2.840.113549.3.7', { name: 'des-ede3-cbc', keySize: 24 }],
]);
/** RFC 7292, appendix C. */
const TRIPLE_DES = '1.2.840.113549.1.12.1.3';
const RC2_40 = '1.2.840.113549.1.12.1.6';
/** Octets. */
const MAX_SALT = 1024;
/** Sizes of the output and of the block of SHA-1. */
const DIGEST_SIZE = 20;
const BLOCK_SIZE = 64;
/** These take a millisecond or two. Then other work runs, of which up to a dozen parts may derive keys too. */
const ROUNDS_AT_ONCE = 500;

const derive = promisify(pbkdf2);

/**
 * Decrypts a part of a PFX. Newer schemes derive the key on the thread pool, the older one on this thread, with pauses.
 * @throws Error, which may quote the content: do not log it
 */
export async function decryptPart(
  algorithm: Asn1,
  encrypted: Buffer,
  password: NoPassword,
  budget: FileRounds,
): Promise<Buffer> {
  const parameters = child(algorithm, 1);
  const scheme = oidOf(algorithm);
  if (scheme === PBES2) {
    return await decryptPbes2(parameters, encrypted, password, budget);
  }
  const salt = saltOf(parameters);
  const rounds = roundsOf(parameters);
  if (scheme !== TRIPLE_DES && scheme !== RC2_40) {
    throw new TypeError('another scheme');
  }
  budget.take(rounds);
  const keySize = scheme === RC2_40 ? 5 : 24;
  const key = await deriveOld({ purpose: 1, password, salt, rounds }, keySize);
  const iv = await deriveOld({ purpose: 2, password, salt, rounds }, 8);
  return scheme === RC2_40 ? decryptRc2(key, iv, encrypted) : decipher('des-ede3-cbc', key, iv, encrypted);
}

async function decryptPbes2(
  parameters: Asn1,
  encrypted: Buffer,
  password: NoPassword,
  budget: FileRounds,
): Promise<Buffer> {
  const derivation = child(parameters, 0);
  const encryption = child(parameters, 1);
  const cipher = CIPHERS.get(oidOf(encryption));
  // PBES2 always has a password, which may be empty.
  if (password === null || cipher === undefined || oidOf(derivation) !== PBKDF2) {
    throw new TypeError('another scheme');
  }
  const of = child(derivation, 1);
  const salt = saltOf(of);
  const rounds = roundsOf(of);
  const named = childrenOf(of).find(({ type }) => type === forge.asn1.Type.SEQUENCE);
  const digest = named === undefined ? DEFAULT_DIGEST : DIGESTS.get(oidOf(named));
  if (digest === undefined) {
    throw new TypeError('another digest');
  }
  budget.take(rounds);
  const key = await derive(password, salt, rounds, cipher.keySize, digest);
  return decipher(cipher.name, key, octetsOf(child(encryption, 1)), encrypted);
}

function saltOf(parameters: Asn1): Buffer {
  const salt = octetsOf(child(parameters, 0));
  if (salt.length > MAX_SALT) {
    throw new RangeError('too much salt');
  }
  return salt;
}

function roundsOf(parameters: Asn1): number {
  const rounds = forge.asn1.derToInteger(octetsOf(child(parameters, 1)).toString('latin1'));
  if (rounds < 1) {
    throw new RangeError('no rounds');
  }
  return rounds;
}

function decipher(name: string, key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  const started = createDecipheriv(name, key, iv);
  return Buffer.concat([started.update(encrypted), started.final()]);
}

/** Current OpenSSL does not support RC2. */
function decryptRc2(key: Buffer, iv: Buffer, encrypted: Buffer): Buffer {
  const started = forge.rc2.createDecryptionCipher(key.toString('latin1'), key.length * 8);
  started.start(iv.toString('latin1'));
  started.update(forge.util.createBuffer(encrypted.toString('latin1')));
  if (!started.finish()) {
    throw new RangeError('wrong password');
  }
  return Buffer.from(started.output.getBytes(), 'latin1');
}

interface OldDerivation {
  /** 1 for a key, 2 for an initial vector. */
  readonly purpose: 1 | 2;
  readonly password: NoPassword;
  readonly salt: Buffer;
  readonly rounds: number;
}

/** RFC 7292, appendix B.2, with SHA-1. */
async function deriveOld({ purpose, password, salt, rounds }: OldDerivation, size: number): Promise<Buffer> {
  // An empty password is encoded as two zero bytes, no password as nothing.
  const secret = Buffer.alloc(password === null ? 0 : BLOCK_SIZE);
  const salted = Buffer.alloc(Math.ceil(salt.length / BLOCK_SIZE) * BLOCK_SIZE, salt);
  const input = Buffer.concat([Buffer.alloc(BLOCK_SIZE, purpose), salted, secret]);
  const parts: Buffer[] = [];
  for (let done = 0; done < size; done += DIGEST_SIZE) {
    const part = await repeatedHash(input, rounds);
    parts.push(part);
    const addend = Buffer.alloc(BLOCK_SIZE, part);
    for (let block = BLOCK_SIZE; block < input.length; block += BLOCK_SIZE) {
      addPlusOne(input.subarray(block, block + BLOCK_SIZE), addend);
    }
  }
  return Buffer.concat(parts).subarray(0, size);
}

async function repeatedHash(input: Buffer, rounds: number): Promise<Buffer> {
  let digest = input;
  for (let round = 1; round <= rounds; round++) {
    digest = hash('sha1', digest, 'buffer');
    if (round % ROUNDS_AT_ONCE === 0) {
      await SYSTEM_CLOCK.yield();
    }
  }
  return digest;
}

function addPlusOne(block: Buffer, addend: Buffer): void {
  let carry = 1;
  for (let index = BLOCK_SIZE - 1; index >= 0; index--) {
    carry += (block[index] ?? 0) + (addend[index] ?? 0);
    block[index] = carry & 0xff;
    carry >>= 8;
  }
}
