import { type AcceptedClass, named } from './accepted-class.ts';

const SM = 'objectType: secretsmanager';
const SSM = 'objectType: ssmparameter';
const FAR = { failoverRegion: 'us-east-1' };
const ARN = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:db-a1B2c3';
const PARAMETER_ARN = 'arn:aws:ssm:us-west-2:123456789012:parameter/app/db';

const objects = `[{objectName: a, ${SM}}]`;

export const acceptedClasses: readonly AcceptedClass[] = [
  { name: 'no objects parameter', parameters: {}, files: [] },
  { name: 'no text for objects', parameters: { objects: '' }, files: [] },
  { name: 'an empty list', parameters: { objects: '[]' }, files: [] },
  { name: 'a null for objects', parameters: { objects: '~' }, files: [] },
  {
    name: 'one of each store',
    parameters: { objects: `- objectName: s\n  ${SM}\n- objectName: p\n  ${SSM}\n` },
    files: named('s', 'p'),
    regions: ['us-west-2'],
    authentication: { kind: 'irsa' },
    asks: [{ name: 's' }, { name: 's' }],
  },
  {
    name: 'JSON for objects',
    parameters: { objects: '[{"objectName": "a", "objectType": "ssmparameter", "objectAlias": "b"}]' },
    files: named('b'),
  },
  {
    name: 'field names in another case',
    parameters: { objects: `[{OBJECTNAME: a, ObjectType: ssmparameter, objectalias: b}]` },
    files: named('b'),
  },
  {
    name: 'unknown fields and parameters',
    parameters: {
      objects: `[{objectName: a, ${SM}, backupArn: x, inFallback: true}]`,
      secretProviderClass: 'c',
      x: 'y',
    },
    files: named('a'),
  },
  {
    name: 'a region of its own',
    parameters: { objects, region: 'eu-central-1' },
    files: named('a'),
    regions: ['eu-central-1'],
  },
  { name: 'an empty region', parameters: { objects, region: '' }, files: named('a'), regions: ['us-west-2'] },
  {
    name: 'a second region',
    parameters: { objects, ...FAR },
    files: named('a'),
    regions: ['us-west-2', 'us-east-1'],
  },
  {
    name: 'an empty second region',
    parameters: { objects, failoverRegion: '' },
    files: named('a'),
    regions: ['us-west-2'],
  },
  {
    name: 'an address type without Pod Identity',
    parameters: { objects, preferredAddressType: 'ipv6' },
    files: named('a'),
    authentication: { kind: 'irsa' },
  },
  {
    name: 'an ARN without a type',
    parameters: { objects: `[{objectName: "${ARN}", objectAlias: db}]` },
    files: named('db'),
    asks: [{ name: ARN }, { name: ARN }],
  },
  { name: 'an ARN as file name', parameters: { objects: `[{objectName: "${ARN}"}]` }, files: named(ARN) },
  {
    name: 'a parameter ARN as file name',
    parameters: { objects: `[{objectName: "${PARAMETER_ARN}"}]` },
    files: named('arn:aws:ssm:us-west-2:123456789012:parameter_app_db'),
  },
  {
    name: 'an ARN and its type',
    parameters: { objects: `[{objectName: "${PARAMETER_ARN}", ${SSM}, objectAlias: p}]` },
    files: named('p'),
  },
  {
    name: 'an ARN of another partition',
    parameters: {
      objects: '[{objectName: "arn:aws-cn:ssm:cn-north-1:1:parameter/x", objectAlias: x}]',
      region: 'cn-north-1',
    },
    files: named('x'),
  },
  {
    name: 'a secret with version and label',
    parameters: { objects: `[{objectName: a, ${SM}, objectVersion: v, objectVersionLabel: AWSPREVIOUS}]` },
    files: named('a'),
    asks: [
      { name: 'a', version: 'v', label: 'AWSPREVIOUS' },
      { name: 'a', version: 'v', label: 'AWSPREVIOUS' },
    ],
  },
  {
    name: 'a parameter version without quotes',
    parameters: { objects: `[{objectName: a, ${SSM}, objectVersion: 3}]` },
    files: named('a'),
    asks: [
      { name: 'a', version: '3' },
      { name: 'a', version: '3' },
    ],
  },
  {
    name: 'a parameter label',
    parameters: { objects: `[{objectName: a, ${SSM}, objectVersionLabel: prod}]` },
    files: named('a'),
    asks: [
      { name: 'a', label: 'prod' },
      { name: 'a', label: 'prod' },
    ],
  },
  {
    name: 'values cut out, with modes of their own and inherited ones',
    parameters: {
      objects: `[{objectName: a, ${SM}, filePermission: "0600", jmesPath: [{path: user, objectAlias: u, filePermission: "0777"}, {path: pw, objectAlias: p}]}]`,
    },
    files: [
      ['a', 0o600],
      ['u', 0o777],
      ['p', 0o600],
    ],
  },
  {
    name: 'values cut out, field names in another case',
    parameters: { objects: `[{objectName: a, ${SM}, jmesPath: [{Path: user, ObjectAlias: u}]}]` },
    files: named('a', 'u'),
  },
  {
    name: 'an alias with a directory for a value cut out',
    parameters: {
      objects: `[{objectName: a, ${SM}, jmesPath: [{path: x, objectAlias: /d/x}]}]`,
      pathTranslation: 'False',
    },
    files: named('a', 'd/x'),
  },
  {
    name: 'an alias that is quoted as an expression would be',
    parameters: { objects: `[{objectName: a, ${SM}, jmesPath: [{path: '"a-b"', objectAlias: '"a-b"'}]}]` },
    files: named('a', '"a-b"'),
  },
  { name: 'no values cut out', parameters: { objects: `[{objectName: a, ${SM}, jmesPath: []}]` }, files: named('a') },
  {
    name: 'one name under two aliases',
    parameters: { objects: `[{objectName: a, ${SSM}, objectAlias: x}, {objectName: a, ${SSM}, objectAlias: z}]` },
    files: named('x', 'z'),
  },
  {
    name: 'one name with two labels under two aliases',
    parameters: {
      objects: `[{objectName: a, ${SSM}, objectAlias: x, objectVersionLabel: l}, {objectName: a, ${SSM}, objectAlias: z, objectVersionLabel: m}]`,
    },
    files: named('x', 'z'),
  },
  {
    name: 'one name with one label under two aliases',
    parameters: {
      objects: `[{objectName: a, ${SM}, objectAlias: x, objectVersionLabel: l}, {objectName: a, ${SM}, objectAlias: z, objectVersionLabel: l}]`,
    },
    files: named('x', 'z'),
  },
  {
    name: 'one name with and without an alias',
    parameters: { objects: `[{objectName: a, ${SM}}, {objectName: a, ${SM}, objectAlias: b}]` },
    files: named('a', 'b'),
  },
  {
    name: 'two directories side by side',
    parameters: {
      objects: `[{objectName: a/x, ${SSM}}, {objectName: a/y, ${SSM}}, {objectName: ab, ${SSM}}]`,
      pathTranslation: 'False',
    },
    files: named('a/x', 'a/y', 'ab'),
  },
  {
    name: 'another name in the second region',
    parameters: { objects: `[{objectName: a, ${SM}, objectAlias: x, failoverObject: {objectName: b}}]`, ...FAR },
    files: named('x'),
    asks: [{ name: 'a' }, { name: 'b' }],
  },
  {
    name: 'an ARN in each region',
    parameters: {
      objects: `[{objectName: "${ARN}", objectAlias: x, failoverObject: {objectName: "arn:aws:secretsmanager:us-east-1:1:secret:b"}}]`,
      ...FAR,
    },
    files: named('x'),
    asks: [{ name: ARN }, { name: 'arn:aws:secretsmanager:us-east-1:1:secret:b' }],
  },
  {
    name: 'another name, the same version and another label in the second region',
    parameters: {
      objects: `[{objectName: a, ${SM}, objectAlias: x, objectVersion: v, objectVersionLabel: l, failoverObject: {objectName: b, objectVersion: v, objectVersionLabel: m}}]`,
      ...FAR,
    },
    files: named('x'),
    asks: [
      { name: 'a', version: 'v', label: 'l' },
      { name: 'b', version: 'v', label: 'm' },
    ],
  },
  {
    name: 'another name in the second region, the label being the same',
    parameters: {
      objects: `[{objectName: a, ${SSM}, objectAlias: x, objectVersionLabel: l, failoverObject: {objectName: b}}]`,
      ...FAR,
    },
    files: named('x'),
    asks: [
      { name: 'a', label: 'l' },
      { name: 'b', label: 'l' },
    ],
  },
  {
    name: 'only another label in the second region',
    parameters: {
      objects: `[{objectName: a, ${SM}, objectVersion: v, failoverObject: {objectVersionLabel: m}}]`,
      ...FAR,
    },
    files: named('a'),
    asks: [
      { name: 'a', version: 'v' },
      { name: 'a', version: 'v', label: 'm' },
    ],
  },
  {
    name: 'only a label of a parameter whose version is pinned, in the second region',
    parameters: {
      objects: `[{objectName: a, ${SSM}, objectVersion: 1, failoverObject: {objectVersionLabel: m}}]`,
      ...FAR,
    },
    files: named('a'),
    asks: [
      { name: 'a', version: '1' },
      { name: 'a', label: 'm' },
    ],
  },
  {
    name: 'a failover object without a name, and no second region',
    parameters: { objects: `[{objectName: a, ${SM}, failoverObject: {objectVersion: v}}]` },
    files: named('a'),
  },
  {
    name: 'a name of 255 bytes',
    parameters: { objects: `[{objectName: ${'n'.repeat(255)}, ${SM}}]` },
    files: named('n'.repeat(255)),
  },
];
