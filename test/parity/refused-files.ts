import { object, objectWith, pair, type RefusedClass, SM, SSM } from './refused-class.ts';

const paths: readonly RefusedClass[] = [
  ...['../x', 'a/../x', 'a/..', './../x', '/../x', '..'].map((name) =>
    objectWith(
      { pathTranslation: 'False' },
      `the name ${name} as a path`,
      `objectName: ${name}, ${SM}`,
      'path can not contain',
    ),
  ),
  ...['..x', '..x/y'].map((name) =>
    objectWith(
      { pathTranslation: 'False' },
      `the name ${name} as a path`,
      `objectName: ${name}, ${SM}`,
      'path can not contain',
      'begins with',
    ),
  ),
  object('a name that begins with two dots', `objectName: ../x, ${SM}`, '".._x"', 'path can not contain'),
  ...['a//b', 'a/', './a', 'a/./b', '/', '.'].map((name) =>
    objectWith(
      { pathTranslation: 'False' },
      `the name ${name} as a path`,
      `objectName: ${name}, ${SM}`,
      'path must be relative',
    ),
  ),
  objectWith(
    { pathTranslation: '/' },
    'a leading slash that is kept',
    `objectName: /a, ${SM}`,
    'path must be relative',
  ),
  objectWith(
    { pathTranslation: 'False' },
    'an alias out of the volume',
    `objectName: a, objectAlias: ../a, ${SM}`,
    'path can not contain',
  ),
  objectWith(
    { pathTranslation: 'False' },
    'an alias of jmesPath out of the volume',
    `objectName: a, ${SM}, jmesPath: [{path: b, objectAlias: ../c}]`,
    'jmesPath[0]',
    'path can not contain',
  ),
  object('a NUL in an alias', `objectName: a, objectAlias: "a\\0b", ${SM}`, 'NUL'),
  object('an alias of 256 bytes', `objectName: a, objectAlias: ${'é'.repeat(128)}, ${SM}`, '255 bytes'),
  objectWith(
    { pathTranslation: 'False' },
    'a path of more than 2048 bytes',
    `objectName: ${`${'é'.repeat(120)}/`.repeat(10)}a, ${SM}`,
    '2048 bytes',
  ),
];

const duplicates: readonly RefusedClass[] = [
  pair(
    'one name twice',
    `objectName: a, ${SM}`,
    `objectName: a, ${SM}`,
    'duplicate object name: a, no object alias, no version label',
  ),
  pair(
    'one name and label twice',
    `objectName: a, ${SM}, objectVersionLabel: l`,
    `objectName: a, ${SM}, objectVersionLabel: l`,
    'duplicate object name: a, no object alias, duplicate version label: l',
  ),
  pair(
    'one name and alias twice',
    `objectName: a, ${SM}, objectAlias: x`,
    `objectName: a, ${SM}, objectAlias: x`,
    'duplicate object name: a, duplicate object alias: x, no version label',
  ),
  pair(
    'one name, alias and label twice',
    `objectName: a, ${SM}, objectAlias: x, objectVersionLabel: l`,
    `objectName: a, ${SM}, objectAlias: x, objectVersionLabel: l`,
    'duplicate object name: a, duplicate object alias: x, duplicate version label: l',
  ),
  pair(
    'one name and alias with two labels',
    `objectName: a, ${SM}, objectAlias: x, objectVersionLabel: l`,
    `objectName: a, ${SM}, objectAlias: x, objectVersionLabel: m`,
    'duplicate object alias: x',
  ),
  pair(
    'one name with two labels and one file',
    `objectName: a, ${SSM}, objectVersionLabel: l`,
    `objectName: a, ${SSM}, objectVersionLabel: m`,
    '"a"',
    'version labels "l" and "m"',
  ),
  pair(
    'one alias of two names',
    `objectName: a, ${SM}, objectAlias: x`,
    `objectName: b, ${SM}, objectAlias: x`,
    'duplicate object alias: x',
  ),
  pair(
    'an alias that a value cut out has',
    `objectName: a, ${SM}, jmesPath: [{path: p, objectAlias: x}]`,
    `objectName: b, ${SM}, objectAlias: x`,
    'duplicate object alias: x',
  ),
  pair(
    'a value cut out with the alias of an object',
    `objectName: a, ${SM}, objectAlias: x`,
    `objectName: b, ${SM}, jmesPath: [{path: p, objectAlias: x}]`,
    'Name already in use: alias x of jmesPath "p"',
  ),
  pair(
    'a value cut out with the alias of another',
    `objectName: a, ${SM}, jmesPath: [{path: p, objectAlias: x}]`,
    `objectName: b, ${SM}, jmesPath: [{path: q, objectAlias: x}]`,
    'Name already in use: alias x of jmesPath "q"',
  ),
  pair(
    'a value cut out with the name of an object',
    `objectName: x, ${SM}`,
    `objectName: b, ${SM}, jmesPath: [{path: q, objectAlias: x}]`,
    'Name already in use: alias x of jmesPath "q"',
  ),
  pair(
    'an alias like a name',
    `objectName: a, ${SM}`,
    `objectName: b, ${SM}, objectAlias: a`,
    'cannot share a file',
    '"a"',
  ),
  pair(
    'names that are one after translation',
    `objectName: a/b, ${SSM}`,
    `objectName: a_b, ${SSM}`,
    'cannot share a file',
    '"a_b"',
  ),
  object(
    'a value cut out with the alias of its object',
    `objectName: a, ${SM}, objectAlias: x, jmesPath: [{path: p, objectAlias: x}]`,
    'Name already in use: alias x',
  ),
  object(
    'two values cut out with one alias',
    `objectName: a, ${SM}, jmesPath: [{path: p, objectAlias: x}, {path: q, objectAlias: x}]`,
    'Name already in use: alias x of jmesPath "q"',
  ),
  {
    ...pair('a file where there is a directory', `objectName: a, ${SM}`, `objectName: a/b, ${SM}`, '"a"'),
    parameters: { objects: `[{objectName: a/b, ${SM}}, {objectName: a, ${SM}}]`, pathTranslation: 'False' },
  },
  {
    name: 'a directory where there is a file',
    parameters: { objects: `[{objectName: a, ${SM}}, {objectName: a/b/c, ${SM}}]`, pathTranslation: 'False' },
    says: [['objects[1] "a/b/c"', 'objects[0] "a"']],
  },
  {
    name: 'the third like the first',
    parameters: { objects: `[{objectName: a, ${SM}}, {objectName: a, ${SM}, objectAlias: b}, {objectName: a, ${SM}}]` },
    says: [['objects[2]', 'objects[0]', 'duplicate object name: a, no object alias, no version label']],
  },
];

export const refusedFiles: readonly RefusedClass[] = [...paths, ...duplicates];
