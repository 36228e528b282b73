import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSecretObjects } from './parse-secret-objects.ts';

const DATA = [{ objectName: 'db', key: 'password' }];
const VALID = { secretName: 'db', type: 'Opaque', data: DATA };

function parse(secretObjects: unknown, annotations: Readonly<Record<string, string>> = {}, files?: readonly string[]) {
  return parseSecretObjects(
    { secretObjects, annotations: new Map(Object.entries(annotations)) },
    files && new Set(files),
  );
}

describe('parseSecretObjects', () => {
  it.for([[undefined], [null], [[]]])('reads no Secret from %o', ([secretObjects]) => {
    expect(parse(secretObjects)).toEqual({ secrets: [], problems: [] });
  });

  it('reads all fields, without white space around the texts', () => {
    const entry = {
      secretName: ' db ',
      type: ' Opaque\n',
      labels: { app: 'shop', 'example.com/tier': '' },
      annotations: { 'Example.com/note': ' as it is ' },
      data: [{ objectName: ' db/password ', key: ' password ' }],
    };

    expect(parse([entry], { 'aws-secrets-csi/sync-immutable': 'true' })).toEqual({
      problems: [],
      secrets: [
        {
          name: 'db',
          type: 'Opaque',
          isImmutable: true,
          takesAllFiles: false,
          labels: new Map([
            ['app', 'shop'],
            ['example.com/tier', ''],
          ]),
          annotations: new Map([['Example.com/note', ' as it is ']]),
          keys: [{ file: 'db/password', key: 'password' }],
        },
      ],
    });
  });

  it('needs no data if every file becomes a key', () => {
    const { secrets, problems } = parse([{ secretName: 'db', type: 'Opaque' }], {
      'aws-secrets-csi/sync-all-keys': 'true',
    });

    expect(problems).toEqual([]);
    expect(secrets).toMatchObject([{ takesAllFiles: true, keys: [] }]);
  });

  it.for([
    ['what is no entry', 'text', [], 'must be a map with secretName, type and data'],
    ['no name', { ...VALID, secretName: ' ' }, ['secretName'], 'secretName is empty'],
    ['a name that is no text', { ...VALID, secretName: 7 }, ['secretName'], 'must be a text: quote it'],
    ['a name in capitals', { ...VALID, secretName: 'Db' }, ['secretName'], 'lower-case'],
    ['a name that ends in a dot', { ...VALID, secretName: 'db.' }, ['secretName'], '"db."'],
    ['a name too long', { ...VALID, secretName: 'd'.repeat(254) }, ['secretName'], '253'],
    ['no type', { ...VALID, type: undefined }, ['type'], 'type is empty: write Opaque'],
    ['no data', { ...VALID, data: [] }, ['data'], 'aws-secrets-csi/sync-all-keys'],
    ['data that is no list', { ...VALID, data: {} }, ['data'], 'must be a list'],
    ['data of texts', { ...VALID, data: ['db'] }, ['data', 0], 'data[0]: must be a map with objectName and key'],
    ['no file', { ...VALID, data: [{ key: 'k' }] }, ['data', 0, 'objectName'], 'objectName is empty'],
    ['no key', { ...VALID, data: [{ objectName: 'k' }] }, ['data', 0, 'key'], 'key is empty'],
    ['a key with a slash', withKey('a/b'), ['data', 1, 'key'], '"a/b" cannot be a key'],
    ['a key that leads up', withKey('..'), ['data', 1, 'key'], 'not begin with ".."'],
    ['a key too long', withKey('k'.repeat(254)), ['data', 1, 'key'], '253'],
    ['a key twice', withKey('password'), ['data', 1, 'key'], 'used twice'],
    ['labels that are a list', { ...VALID, labels: [] }, ['labels'], 'must be a map'],
    ['a label that is no text', { ...VALID, labels: { a: true } }, ['labels', 'a'], 'must be a text: quote it'],
    ['a label with a space', { ...VALID, labels: { a: 'b c' } }, ['labels', 'a'], '"b c" of the label "a"'],
    ['a label name with two slashes', { ...VALID, labels: { 'a/b/c': '' } }, ['labels', 'a/b/c'], 'in labels'],
    ['a label domain in capitals', { ...VALID, labels: { 'A.b/c': '' } }, ['labels', 'A.b/c'], 'in labels'],
    ['an annotation name', { ...VALID, annotations: { 'a b': '' } }, ['annotations', 'a b'], 'in annotations'],
    ['endless annotations', { ...VALID, annotations: { a: 'a'.repeat(262_144) } }, ['annotations'], '262144 bytes'],
    ['an annotation of ours', withAnnotation('as-of'), ['annotations', 'aws-secrets-csi/as-of'], "the provider's own"],
    [
      'a tls Secret without a key',
      { ...VALID, type: 'kubernetes.io/tls' },
      ['data'],
      'key tls.crt and the key tls.key',
    ],
    ['a login without fields', { ...VALID, type: 'kubernetes.io/ssh-auth' }, ['data'], 'needs the key ssh-privatekey'],
  ] as const)('refuses %s', ([, entry, path, message]) => {
    const { secrets, problems } = parse([{ ...VALID, secretName: 'valid' }, entry]);

    expect(secrets).toMatchObject([{ name: 'valid' }]);
    expect(problems).toEqual([
      {
        path: ['spec', 'secretObjects', 1, ...path],
        parameter: 'secretObjects',
        message: expect.stringContaining(message),
      },
    ]);
    expect(problems[0]?.message).toMatch(/^secretObjects\[1\]/);
  });

  it('refuses keys other than the two in a TLS Secret', () => {
    const data = ['tls.crt', 'tls.key', 'ca.crt'].map((key) => ({ objectName: 'file', key }));

    const { problems } = parse([{ ...VALID, type: 'kubernetes.io/tls', data }]);

    expect(problems).toMatchObject([{ message: expect.stringContaining('not "ca.crt"') }]);
  });

  it.for([
    ['kubernetes.io/basic-auth', 'password'],
    ['kubernetes.io/dockerconfigjson', '.dockerconfigjson'],
    ['example.com/own', 'whatever'],
  ])('accepts a %s with %s', ([type, key]) => {
    expect(parse([{ ...VALID, type, data: [{ objectName: 'db', key }] }]).problems).toEqual([]);
  });

  it('refuses a second entry for the same Secret, and keeps the first', () => {
    const { secrets, problems } = parse([VALID, { ...VALID, secretName: ' db', type: 'other' }]);

    expect(secrets).toMatchObject([{ type: 'Opaque' }]);
    expect(problems).toMatchObject([{ message: expect.stringContaining('secretObjects[0] has the same secretName') }]);
  });

  it('reports all problems at once', () => {
    const { problems } = parse([{}, { secretName: 'A', type: 7, data: [{}], labels: 3 }], {
      'aws-secrets-csi/sync-immutable': 'yes',
    });

    expect(problems.map(({ path }) => path.join('.'))).toEqual([
      'metadata.annotations.aws-secrets-csi/sync-immutable',
      'spec.secretObjects.0.secretName',
      'spec.secretObjects.0.type',
      'spec.secretObjects.0.data',
      'spec.secretObjects.1.secretName',
      'spec.secretObjects.1.type',
      'spec.secretObjects.1.data.0.objectName',
      'spec.secretObjects.1.data.0.key',
      'spec.secretObjects.1.labels',
    ]);
  });

  it('checks objectNames against the files, if they are known', () => {
    const { problems } = parse([{ ...VALID, data: [{ objectName: 'DB', key: 'a' }] }], {}, ['db', 'user']);

    expect(problems).toMatchObject([
      { message: expect.stringContaining('"DB" is not a file of the volume, which has "db", "user"') },
    ]);
  });

  it('gives Secrets or problems for any value', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.array(fc.record({ data: fc.anything(), labels: fc.anything() }))),
        (given) => {
          const { secrets } = parse(given);

          expect(secrets).toEqual([]);
        },
      ),
    );
  });
});

function withKey(key: string) {
  return { ...VALID, data: [...DATA, { objectName: 'other', key }] };
}

function withAnnotation(word: string) {
  return { ...VALID, annotations: { [`aws-secrets-csi/${word}`]: 'x' } };
}
