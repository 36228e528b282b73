import { FAR, object, objectWith, type RefusedClass, SM, SSM } from './refused-class.ts';

const fields: readonly RefusedClass[] = [
  object('no name', SM, 'name must be specified'),
  object('an empty name', `objectName: "", ${SM}`, 'name must be specified'),
  object('a list for a name', `objectName: [a], ${SM}`, 'objectName', 'a list'),
  object('a map for an alias', `objectName: a, objectAlias: {b: c}, ${SM}`, '"a"', 'objectAlias', 'a map'),
  object('a text for jmesPath', `objectName: a, ${SM}, jmesPath: x`, 'jmesPath', '"x"'),
  object('a text in jmesPath', `objectName: a, ${SM}, jmesPath: [x]`, 'jmesPath[0]', '"x"'),
  object('a text for failoverObject', `objectName: a, ${SM}, failoverObject: x`, 'failoverObject', '"x"'),
  object('neither type nor ARN', 'objectName: a', '"a"', 'Must use objectType'),
  ...['ssm', 'sts', 'SecretsManager', 'ssmParameter'].map((type) =>
    object(`type ${type}`, `objectName: a, objectType: ${type}`, `Invalid objectType: ${type}`),
  ),
  object('a stump of an ARN', 'objectName: "arn::"', 'Invalid ARN format'),
  object('an ARN without a resource', `objectName: "arn:aws:ssm:us-west-2:1", ${SSM}`, 'Invalid ARN format'),
  object('an ARN of another service', 'objectName: "arn:aws:sts:us-west-2:1:x"', 'Invalid service in ARN: sts'),
  object(
    'an ARN of a service called like a type',
    'objectName: "arn:aws:ssmparameter:us-west-2:1:x"',
    'Invalid service in ARN',
  ),
  object(
    'an ARN of another region',
    'objectName: "arn:aws:ssm:us-east-1:1:x"',
    'ARN region must match region us-west-2',
  ),
  object('an ARN without a region', 'objectName: "arn:aws:ssm::1:x"', 'ARN region must match region us-west-2'),
  object('a type unlike the ARN', `objectName: "arn:aws:secretsmanager:us-west-2:1:x", ${SSM}`, 'does not match ARN'),
  object(
    'a type, and an ARN of another service',
    `objectName: "arn:aws:sts:us-west-2:1:x", ${SSM}`,
    'does not match ARN',
  ),
  object(
    'version and label of a parameter',
    `objectName: a, ${SSM}, objectVersion: 1, objectVersionLabel: l`,
    'can not specify both',
  ),
  ...['abc9', '000', '00000', '0900', '0o644', 'rw-r--r--'].map((mode) =>
    object(
      `filePermission ${mode}`,
      `objectName: a, ${SM}, filePermission: "${mode}"`,
      `Invalid File Permission: ${mode}`,
    ),
  ),
  object(
    'filePermission without quotes',
    `objectName: a, ${SM}, filePermission: 0644`,
    'Invalid File Permission: 420',
    '0644',
    '"0644"',
  ),
  object(
    'jmesPath without a path',
    `objectName: a, ${SM}, jmesPath: [{objectAlias: b}]`,
    'jmesPath[0]',
    'Path must be specified',
  ),
  object(
    'jmesPath without an alias',
    `objectName: a, ${SM}, jmesPath: [{path: b}]`,
    'jmesPath[0]',
    'alias must be specified',
  ),
  object(
    'filePermission of jmesPath',
    `objectName: a, ${SM}, jmesPath: [{path: b, objectAlias: c, filePermission: a987}]`,
    'Invalid File Permission: a987',
  ),
  object(
    'an expression with a dash',
    `objectName: a, ${SM}, jmesPath: [{path: a-b, objectAlias: c}]`,
    'Invalid JMES Path',
    '"a-b"',
    'quoted',
  ),
  object(
    'an expression that ends too soon',
    `objectName: a, ${SM}, jmesPath: [{path: "a.", objectAlias: c}]`,
    'Invalid JMES Path',
    'unexpected end',
  ),
  object(
    'a dash as an entry of jmesPath',
    `objectName: a, ${SM}, jmesPath: [~]`,
    'jmesPath[0]',
    'Path must be specified',
  ),
].map((refused) =>
  // A null entry lacks both of its fields.
  refused.name.startsWith('a dash') ? { ...refused, says: [...refused.says, ['alias must be specified']] } : refused,
);

const failovers: readonly RefusedClass[] = [
  objectWith(
    FAR,
    'a failover object without an alias',
    `objectName: a, ${SM}, failoverObject: {objectName: b}`,
    'alias must be specified',
  ),
  object(
    'a failover object without a second region',
    `objectName: a, objectAlias: x, ${SM}, failoverObject: {objectName: b}`,
    'failover object allowed only',
  ),
  objectWith(
    FAR,
    'a failover ARN in the first region',
    `objectName: a, objectAlias: x, ${SM}, failoverObject: {objectName: "arn:aws:secretsmanager:us-west-2:1:x"}`,
    'failoverObject',
    'ARN region must match region us-east-1',
  ),
  objectWith(
    FAR,
    'a failover name without a type',
    'objectName: "arn:aws:ssm:us-west-2:1:x", objectAlias: x, failoverObject: {objectName: b}',
    'failoverObject',
    'Must use objectType',
  ),
  objectWith(
    FAR,
    'a failover ARN of another type',
    `objectName: a, objectAlias: x, ${SM}, failoverObject: {objectName: "arn:aws:ssm:us-east-1:1:x"}`,
    'failoverObject',
    'does not match ARN',
  ),
  objectWith(
    FAR,
    'a failover ARN of an unsupported service',
    'objectName: "arn:aws:ssm:us-west-2:1:x", objectAlias: x, failoverObject: {objectName: "arn:aws:sts:us-east-1:1:x"}',
    'Invalid service in ARN: sts',
  ),
  objectWith(
    FAR,
    'two selectors of a failover parameter',
    `objectName: a, objectAlias: x, ${SSM}, objectVersion: 1, failoverObject: {objectName: b, objectVersion: 1, objectVersionLabel: l}`,
    'can not specify both',
  ),
  objectWith(
    FAR,
    'another version in the second region',
    `objectName: a, objectAlias: x, ${SM}, objectVersion: v, failoverObject: {objectName: b, objectVersion: w}`,
    'versions must match',
    '"v"',
    '"w"',
  ),
  objectWith(
    FAR,
    'no version in the second region',
    `objectName: a, objectAlias: x, ${SM}, objectVersion: v, failoverObject: {objectName: b}`,
    'versions must match',
  ),
];

export const refusedObjects: readonly RefusedClass[] = [...fields, ...failovers];
