import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import forge from 'node-forge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProviderError } from '../model/errors.ts';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { SecretSpec } from '../class/secret-spec.ts';
import { secretContent } from './secret-content.ts';
import { createTlsReaders } from './tls-reader.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'tls-'));
const KEY_KINDS = ['rsa', 'ec'] as const;

function openssl(command: string): void {
  execFileSync('openssl', command.split(' '), { cwd: FOLDER, stdio: 'pipe' });
}

function bytes(name: string): Buffer {
  return readFileSync(join(FOLDER, name));
}

function text(name: string): string {
  return bytes(name).toString('latin1');
}

/** `<kind>.key` as PKCS #8, `<kind>.old.key` in the older form, `<kind>.crt` for it, `ca.crt` that signed it. */
beforeAll(() => {
  openssl('req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -subj /CN=authority -days 2');
  openssl('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key');
  openssl('genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key');
  openssl('genpkey -algorithm ED25519 -out ed.key');
  openssl('pkey -in rsa.key -traditional -out rsa.old.key');
  openssl('pkey -in ec.key -traditional -out ec.old.key');
  openssl('pkcs8 -topk8 -in ec.key -passout pass:x -out locked.key');
  openssl('pkey -in rsa.key -traditional -aes128 -passout pass:x -out locked.old.key');
  for (const kind of KEY_KINDS) {
    openssl(`req -x509 -key ${kind}.key -CA ca.crt -CAkey ca.key -subj /CN=${kind} -out ${kind}.crt -days 2`);
    const pfx = `pkcs12 -export -inkey ${kind}.key -in ${kind}.crt -certfile ca.crt -name friendly`;
    openssl(`${pfx} -passout pass: -out ${kind}.modern.pfx`);
    openssl(`${pfx} -passout pass: -legacy -out ${kind}.legacy.pfx`);
    openssl(`${pfx} -passout pass: -keypbe NONE -certpbe NONE -nomac -out ${kind}.bare.pfx`);
    openssl(`${pfx} -passout pass:x -out ${kind}.locked.pfx`);
  }
  openssl('pkcs12 -export -inkey ed.key -in ca.crt -nomac -nokeys -passout pass: -out certificates.pfx');
  openssl('pkcs12 -export -inkey rsa.key -in rsa.crt -iter 60000 -passout pass: -out slow.pfx');
  openssl('pkcs12 -export -inkey rsa.key -in rsa.crt -iter 66000 -passout pass: -out negative.pfx');
}, 60_000);

afterAll(() => {
  rmSync(FOLDER, { recursive: true });
});

const SPEC: SecretSpec = {
  name: 'web',
  type: 'kubernetes.io/tls',
  isImmutable: false,
  labels: new Map(),
  annotations: new Map(),
  takesAllFiles: false,
  keys: [
    { key: 'tls.crt', file: 'crt' },
    { key: 'tls.key', file: 'key' },
  ],
};

/** The result for one file per key, or for one file for both keys. */
async function split(crt: string | Uint8Array, key = crt) {
  const files = [file('crt', crt), file('key', key)];
  const { data } = await secretContent(SPEC, files, createTlsReaders(SYSTEM_CLOCK)());
  return { crt: data.get('tls.crt')?.exposeText(), key: data.get('tls.key')?.exposeText() };
}

function file(path: string, content: string | Uint8Array) {
  return { path, mode: 0o644, value: new SecretBytes(Buffer.from(content)) };
}

describe.for(KEY_KINDS)('a tls Secret with an %s key', (kind) => {
  it('has certificate and key, each from a file of its own', async () => {
    expect(await split(text(`${kind}.crt`), text(`${kind}.old.key`))).toEqual({
      crt: text(`${kind}.crt`),
      key: text(`${kind}.old.key`),
    });
  });

  it.for(['key before the chain', 'key after the chain', 'CRLF', 'words around'])(
    'splits one file, %s, into chain and key in the older form',
    async (how) => {
      const chain = text(`${kind}.crt`) + text('ca.crt');
      const key = text(`${kind}.key`);
      const given = {
        'key before the chain': key + chain,
        'key after the chain': chain + key,
        CRLF: (key + chain).replaceAll('\n', '\r\n'),
        'words around': `subject: CN=${kind}\n${chain}Bag Attributes: <none>\n${key}\nthe end`,
      }[how];

      expect(await split(given ?? '')).toEqual({ crt: chain, key: text(`${kind}.old.key`) });
    },
  );

  it.for(['modern', 'legacy', 'bare'])('splits a %s PFX', async (encryption) => {
    expect(await split(bytes(`${kind}.${encryption}.pfx`))).toEqual({
      crt: text(`${kind}.crt`) + text('ca.crt'),
      key: text(`${kind}.old.key`),
    });
  });

  it('reads a key encrypted with an empty password', async () => {
    const { key } = await split(text('ca.crt'), withoutPassword(text(`${kind}.key`)));

    expect(key).toBe(text(`${kind}.old.key`));
  });

  it('is made from the file only if both parts are in it', async () => {
    await expectRefused(split(text(`${kind}.key`)), 'there is no certificate in the file "crt"');
    await expectRefused(split(text(`${kind}.crt`)), 'there is no private key in the file "key"');
  });

  it('is not made from a PFX with a password', async () => {
    await expectRefused(split(bytes(`${kind}.locked.pfx`)), 'without a password');
  });
});

describe('a tls Secret', () => {
  it('does not read the parameters of a curve as a key', async () => {
    openssl('ecparam -name prime256v1 -genkey -out parameters.key');

    const { key } = await split(text('ca.crt'), text('parameters.key'));

    expect(text('parameters.key')).toContain('-----BEGIN EC PARAMETERS-----');
    expect(text('parameters.key').endsWith(key ?? '-')).toBe(true);
  });

  it.for([
    ['of another kind', () => split(text('ca.crt'), text('ed.key')), 'is of ed25519: only RSA and ECDSA'],
    ['with a password', () => split(text('ca.crt'), text('locked.key')), 'has a password'],
    ['with a password in the old way', () => split(text('ca.crt'), text('locked.old.key')), 'has a password'],
    ['that is broken', () => split(text('ca.crt'), pem('PRIVATE KEY', 'AAAA')), 'no kind that is known'],
    ['that a PFX does not hold', () => split(text('ca.crt'), bytes('certificates.pfx')), 'no private key'],
    [
      'in a PFX that costs too much',
      () => split(text('ca.crt'), bytes('slow.pfx')),
      'too many rounds of key derivation',
    ],
    ['in a PFX of a negative cost', () => split(text('ca.crt'), negative()), 'no private key'],
    ['in no PFX', () => split(text('ca.crt'), Buffer.from('30820101', 'hex')), 'no private key'],
  ] as const)('refuses a key %s', async ([, attempt, reason]) => {
    await expectRefused(attempt(), reason);
  });

  it('is not made from files that are cut off anywhere', async () => {
    const whole = bytes('rsa.legacy.pfx');

    for (let size = 0; size < whole.length; size += 97) {
      await expectRefused(split(text('ca.crt'), whole.subarray(0, size)), 'no private key');
    }
  });

  it('does not reveal the content of a file', async () => {
    const error = await split(text('ca.crt'), pem('PRIVATE KEY', Buffer.from('marked').toString('base64'))).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).toBeInstanceOf(ProviderError);
    expect(String(error)).not.toMatch(/marked|bWFya2Vk/);
    expect((error as ProviderError).cause).toBeUndefined();
  });
});

/** Makes the first number of rounds negative: a reader that ignores the sign reads eight millions. */
function negative(): Buffer {
  const pfx = bytes('negative.pfx');
  const rounds = pfx.indexOf(Buffer.from('02030101d0', 'hex'));
  pfx[rounds + 2] = 0x81;
  return pfx;
}

/** A PFX whose key is encrypted without a password, which differs from an empty one: tools other than openssl create such files. */
function withoutPassword(keyPem: string): Buffer {
  const { asn1, pki } = forge;
  const { Class, Type } = asn1;
  const key = pki.encryptPrivateKeyInfo(asn1.fromDer(forge.pem.decode(keyPem)[0]!.body), null as unknown as string, {
    algorithm: '3des',
  });
  const bags = list(list(oid('1.2.840.113549.1.12.10.1.2'), tagged(key)));
  const safe = list(list(oid('1.2.840.113549.1.7.1'), tagged(octets(bags))));
  const version = asn1.create(Class.UNIVERSAL, Type.INTEGER, false, asn1.integerToDer(3).getBytes());
  const pfx = list(version, list(oid('1.2.840.113549.1.7.1'), tagged(octets(safe))));
  return Buffer.from(asn1.toDer(pfx).getBytes(), 'latin1');

  function list(...items: forge.asn1.Asn1[]) {
    return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
  }
  function tagged(item: forge.asn1.Asn1) {
    return asn1.create(Class.CONTEXT_SPECIFIC, Type.NONE, true, [item]);
  }
  function octets(item: forge.asn1.Asn1) {
    return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, asn1.toDer(item).getBytes());
  }
  function oid(name: string) {
    return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(name).getBytes());
  }
}

function pem(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`;
}

async function expectRefused(attempt: Promise<unknown>, reason: string): Promise<void> {
  await expect(attempt).rejects.toMatchObject({ reason: 'SecretRefused', message: expect.stringContaining(reason) });
  await expect(attempt).rejects.toThrow(/the Secret "web"/);
}
