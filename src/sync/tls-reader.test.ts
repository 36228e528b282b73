import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import { createTlsReaders, type TlsFile } from './tls-reader.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'tls-reader-'));

function openssl(command: string): void {
  execFileSync('openssl', command.split(' '), { cwd: FOLDER, stdio: 'pipe' });
}

/** A different one each time, because its salt is random. */
function pfx(options: string): Buffer {
  openssl(`pkcs12 -export -inkey key -in crt -out pfx -passout pass: ${options}`);
  return readFileSync(join(FOLDER, 'pfx'));
}

beforeAll(() => {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout key -out crt -subj /CN=web -days 2');
});
afterAll(() => {
  rmSync(FOLDER, { recursive: true });
});

function file(content: string | Uint8Array, path = 'file') {
  return { path, mode: 0o644, value: new SecretBytes(Buffer.from(content)) };
}

function summary({ certificates, key, takesTooLong }: TlsFile): string {
  return takesTooLong ? 'too long' : `${certificates.length} certificates, ${key === undefined ? 'no' : 'a'} key`;
}

/** Reads the files of one sync; other syncs have the same `newReader`. */
async function readAll(contents: readonly (string | Uint8Array)[], newReader = createTlsReaders(SYSTEM_CLOCK)) {
  const reader = newReader();
  const results = await Promise.all(contents.map((content, index) => reader.read(file(content, `file-${index}`))));
  return results.map(summary);
}

const READ = '1 certificates, a key';

describe('the files of a mount', () => {
  it('are read while their rounds are within the budget, each to its end', async () => {
    const files = [pfx('-iter 8000'), pfx('-iter 2000'), pfx('-iter 2048')];

    expect(await readAll(files)).toEqual([READ, READ, 'too long']);
  });

  it('cost their rounds once if they are equal', async () => {
    const same = pfx('-iter 10000');

    expect(await readAll([same, same, same])).toEqual([READ, READ, READ]);
  });

  it('are read by the next sync if others had used up the rounds', async () => {
    const newReader = createTlsReaders(SYSTEM_CLOCK);
    const later = pfx('-iter 8000');

    expect(await readAll([pfx('-iter 8000'), later], newReader)).toEqual([READ, 'too long']);
    expect(await readAll([later], newReader)).toEqual([READ]);
  });

  it('cost no rounds once they were refused themselves', async () => {
    const newReader = createTlsReaders(SYSTEM_CLOCK);
    const locked = pfx('-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -iter 4000 -passout pass:other');
    const slow = pfx('-iter 11000');

    expect(await readAll([locked], newReader)).toEqual(['0 certificates, no key']);
    expect(await readAll([slow], newReader)).toEqual(['too long']);
    expect(await readAll([locked, slow, pfx('-iter 10000')], newReader)).toEqual([
      '0 certificates, no key',
      'too long',
      READ,
    ]);
  });
});

describe('a file designed to take long', () => {
  it.for([
    ['many beginnings', '-----BEGIN CERTIFICATE-----\n'.repeat(40_000)],
    ['a long label', `-----BEGIN ${'A'.repeat(500_000)}-----\n${'-----END '.repeat(50_000)}`],
    ['ends of another label', `-----BEGIN A-----\n${'-----END AA'.repeat(90_000)}`],
    ['a million lines', `-----BEGIN A-----\n${':\n'.repeat(500_000)}-----END A-----`],
    ['lists in lists', Buffer.alloc(250_000, Buffer.from('3080', 'hex'))],
    ['bit strings in bit strings', nested(0x03, 12_000)],
    [
      'many values',
      Buffer.concat([Buffer.from('3083030d40', 'hex'), Buffer.alloc(200_000, Buffer.from('0500', 'hex'))]),
    ],
    ['a megabyte', Buffer.alloc(1024 * 1024, 0x30)],
  ] as const)('is refused at once: %s', async ([, content]) => {
    const started = performance.now();

    expect(await readAll([content])).toEqual(['0 certificates, no key']);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

/** Nested values, each with a length of four octets. */
function nested(tag: number, depth: number): Buffer {
  const header = 6;
  const bytes = Buffer.alloc(depth * header);
  for (let level = 0; level < depth; level++) {
    const at = level * header;
    bytes.writeUInt8(tag, at);
    bytes.writeUInt8(0x83, at + 1);
    bytes.writeUIntBE(bytes.length - at - header + 1, at + 2, 3);
  }
  return bytes;
}
