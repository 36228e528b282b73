import { describe, expect, it } from 'vitest';
import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { SecretSpec } from '../class/secret-spec.ts';
import { secretContent } from './secret-content.ts';
import { createTlsReaders } from './tls-reader.ts';

const SPEC: SecretSpec = {
  name: 'db',
  type: 'Opaque',
  isImmutable: true,
  labels: new Map([
    ['app', 'shop'],
    ['secrets-store.csi.k8s.io/managed', 'no'],
  ]),
  annotations: new Map([['note', 'x']]),
  keys: [{ key: 'password', file: 'db/pass' }],
  takesAllFiles: false,
};

function files(contents: Readonly<Record<string, string>>) {
  return Object.entries(contents).map(([path, text]) => ({ path, mode: 0o400, value: SecretBytes.fromText(text) }));
}

/** The text of each key. */
async function data(changes: Partial<SecretSpec>, contents: Readonly<Record<string, string>>) {
  const content = await secretContent({ ...SPEC, ...changes }, files(contents), createTlsReaders(SYSTEM_CLOCK)());
  return Object.fromEntries(Array.from(content.data, ([key, value]) => [key, value.exposeText()]));
}

describe('secretContent', () => {
  it("has the class's fields and the driver's label", async () => {
    const content = await secretContent(
      SPEC,
      files({ 'db/pass': 'secret', other: 'o' }),
      createTlsReaders(SYSTEM_CLOCK)(),
    );

    expect(content).toEqual({
      type: 'Opaque',
      isImmutable: true,
      labels: new Map([
        ['app', 'shop'],
        ['secrets-store.csi.k8s.io/managed', 'true'],
      ]),
      annotations: new Map([['note', 'x']]),
      data: expect.any(Map),
    });
    expect(content.data.get('password')?.exposeText()).toBe('secret');
    expect(content.data.size).toBe(1);
  });

  it('creates several keys from one file', async () => {
    const keys = ['a', 'b'].map((key) => ({ key, file: 'f' }));

    expect(await data({ keys }, { f: '1' })).toEqual({ a: '1', b: '1' });
  });

  it('creates a key for every file, named like the file or as data says', async () => {
    const contents = { 'db/pass': '1', 'db/user': '2', plain: '3' };

    expect(await data({ takesAllFiles: true }, contents)).toEqual({ password: '1', db_user: '2', plain: '3' });
    expect(await data({ takesAllFiles: true, keys: [] }, contents)).toEqual({ db_pass: '1', db_user: '2', plain: '3' });
  });

  it.for([
    [{}, { other: 'x' }, 'the key "password": objectName "db/pass" is not a file of the volume, which has "other"'],
    [{}, {}, 'the key "password": objectName "db/pass" is not a file of the volume: '],
    [{ takesAllFiles: true, keys: [] }, { 'a/b': 'x', a_b: 'y' }, '"a/b" and "a_b" cannot both be the key "a_b"'],
    [{ takesAllFiles: true }, { 'db/pass': 'x', password: 'y' }, '"db/pass" and "password" cannot both be'],
    [{ takesAllFiles: true, keys: [] }, { 'a b': 'x' }, 'the file "a b" cannot be a key'],
    [{ takesAllFiles: true, keys: [], type: 'kubernetes.io/tls' }, { 'tls.crt': 'x' }, 'needs the key tls.key'],
    [{}, { 'db/pass': 'x'.repeat(1_048_577) }, '1048577 bytes'],
  ] as const)('refuses %o with files that do not fit', async ([changes, contents, reason]) => {
    const attempt = data(changes, contents);

    await expect(attempt).rejects.toMatchObject({ reason: 'SecretRefused', message: expect.stringContaining(reason) });
    await expect(attempt).rejects.toThrow(/^the Secret "db": /);
  });
});
