import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ProviderError } from '../model/errors.ts';
import { type MountCall, parseRequest, type RequestFields } from './parse-request.ts';

/** Includes half surrogate pairs. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

const TARGET = '/var/lib/kubelet/pods/uid-1/volumes/kubernetes.io~csi/secrets/mount';
const POD = {
  'csi.storage.k8s.io/pod.namespace': 'shop',
  'csi.storage.k8s.io/pod.name': 'api-0',
  'csi.storage.k8s.io/pod.uid': 'uid-1',
  'csi.storage.k8s.io/serviceAccount.name': 'api',
};

function request(changes: Partial<RequestFields> = {}, attributes: object = {}): RequestFields {
  return {
    attributes: JSON.stringify({ ...POD, ...attributes }),
    targetPath: TARGET,
    permission: '420',
    ...changes,
  };
}

function outcomeOf(fields: RequestFields): MountCall | ProviderError {
  try {
    return parseRequest(fields);
  } catch (error) {
    if (error instanceof ProviderError) {
      return error;
    }
    throw error;
  }
}

describe('parseRequest', () => {
  it('separates the pod, the parameters and the rest', () => {
    const call = parseRequest(
      request(
        {},
        {
          objects: '[]',
          region: 'eu-west-1',
          secretProviderClass: 'c',
          'csi.storage.k8s.io/ephemeral': 'true',
          'csi.storage.k8s.io/serviceAccount.tokens': '{"sts.amazonaws.com": {"token": "t"}}',
        },
      ),
    );

    expect(call).toMatchObject({
      targetPath: TARGET,
      pod: { namespace: 'shop', name: 'api-0', uid: 'uid-1', serviceAccount: 'api' },
      mode: 0o644,
      parameters: new Map([
        ['objects', '[]'],
        ['region', 'eu-west-1'],
        ['secretProviderClass', 'c'],
      ]),
    });
    expect([...call.tokens.keys()]).toEqual(['sts.amazonaws.com']);
  });

  it('accepts a request without tokens', () => {
    expect(parseRequest(request()).tokens.size).toBe(0);
  });

  it.for([
    ['420', 0o644],
    [' 256\n', 0o400],
    ['0', 0],
    ['4095', 0o777],
    ['4294967295', 0o777],
  ] as const)('reads the permission %s', ([permission, mode]) => {
    expect(parseRequest(request({ permission })).mode).toBe(mode);
  });

  it.for(['', '"420"', '-1', '0644', '1.5', '4e2', '4294967296', '99999999999', 'null', '[420]', 'x'])(
    'refuses the permission %s',
    (permission) => {
      expect(outcomeOf(request({ permission }))).toMatchObject({
        reason: 'InvalidRequest',
        message: expect.stringContaining('failed to unmarshal file permission'),
      });
    },
  );

  it('refuses a request without a mount path', () => {
    expect(outcomeOf(request({ targetPath: '' }))).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('Missing mount path'),
    });
  });

  it.for(['relative', '/a/../b', '/a/..', '/a\0b', `/${'a'.repeat(5000)}`])(
    'refuses the mount path %s',
    (targetPath) => {
      expect(outcomeOf(request({ targetPath }))).toMatchObject({ reason: 'InvalidRequest' });
    },
  );

  it.for([
    '',
    'x',
    '[]',
    '"x"',
    '{"a": 1}',
    '{"a": {}}',
    '{"a": true}',
    '{} x',
    '\ufeff{}',
    `{"a": "${'x'.repeat(2 ** 20)}"}`,
  ])('refuses attributes that are not a JSON object of strings: %s', (attributes) => {
    expect(outcomeOf(request({ attributes }))).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('failed to unmarshal attributes'),
    });
  });

  it('treats null as an empty text, and uses the last of equal keys', () => {
    const attributes = JSON.stringify({ ...POD, region: null }).replace('}', ', "objects": "[]", "objects": "[1]"}');

    const { parameters } = parseRequest(request({ attributes }));

    expect(parameters.get('region')).toBe('');
    expect(parameters.get('objects')).toBe('[1]');
  });

  it('handles keys that are special in JavaScript', () => {
    const attributes = JSON.stringify(POD).replace('}', ', "__proto__": "x", "constructor": "y"}');

    const { parameters } = parseRequest(request({ attributes }));

    expect([...parameters]).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it.for(['{}', 'null', JSON.stringify({ ...POD, 'csi.storage.k8s.io/pod.name': '' })])(
    'refuses attributes that do not identify the pod: %s',
    (attributes) => {
      expect(outcomeOf(request({ attributes }))).toMatchObject({
        reason: 'InvalidRequest',
        message: expect.stringMatching(/csi\.storage\.k8s\.io\/pod\.name.*podInfoOnMount/),
      });
    },
  );

  it('takes no uid from the mount path', () => {
    const { 'csi.storage.k8s.io/pod.uid': _, ...attributes } = POD;

    expect(outcomeOf(request({ attributes: JSON.stringify(attributes) }))).toMatchObject({
      reason: 'InvalidRequest',
      message: expect.stringContaining('csi.storage.k8s.io/pod.uid missing'),
    });
  });

  it('checks first the mount path, then the attributes, the tokens and the permission', () => {
    const tokens = { 'csi.storage.k8s.io/serviceAccount.tokens': 'junk' };
    const wrong = [
      request({ targetPath: '', attributes: 'x', permission: 'x' }),
      request({ attributes: 'x', permission: 'x' }),
      request({ permission: 'x' }, tokens),
      request({ permission: 'x' }),
    ];

    expect(wrong.map((fields) => outcomeOf(fields))).toEqual(
      ['Missing mount path', 'attributes', 'serviceAccount.tokens', 'file permission'].map((piece) =>
        expect.objectContaining({ message: expect.stringContaining(piece) }),
      ),
    );
  });

  it('never quotes the request', () => {
    const canary = 'hunter2';
    const wrong = [
      request({ attributes: canary }),
      request({ attributes: `{"a": "${canary}` }),
      request({ attributes: `{"a": ["${canary}"]}` }),
      request({}, { 'csi.storage.k8s.io/serviceAccount.tokens': `{"a": {"token": "${canary}"` }),
      request({ permission: 'x' }, { 'csi.storage.k8s.io/serviceAccount.tokens': `{"a": {"token": "${canary}"}}` }),
    ];

    for (const fields of wrong) {
      const error = outcomeOf(fields);

      expect(error).toBeInstanceOf(ProviderError);
      expect(`${JSON.stringify(error)} ${error instanceof Error ? error.stack : ''}`).not.toContain(canary);
    }
  });

  it('gives a call or a reason for any request', () => {
    const text = fc.oneof(fc.string({ unit: anyUnit }), fc.json(), fc.constantFrom('420', TARGET, JSON.stringify(POD)));

    fc.assert(
      fc.property(text, text, text, (attributes, targetPath, permission) => {
        const outcome = outcomeOf(request({ attributes, targetPath, permission }));

        expect(outcome instanceof ProviderError ? outcome.reason : 'call').toMatch(/^(InvalidRequest|call)$/);
      }),
    );
  });
});
