import { type RefusedClass, SM } from './refused-class.ts';

const parameters: readonly RefusedClass[] = [
  {
    name: 'a second region that is the first',
    parameters: { region: 'eu-west-1', failoverRegion: 'eu-west-1' },
    says: [['eu-west-1: ', 'cannot be the same as']],
  },
  {
    name: 'a second region that is the default one',
    parameters: { failoverRegion: 'us-west-2' },
    says: [['us-west-2: ', 'cannot be the same as']],
  },
  {
    name: 'a region that would be another host',
    parameters: { region: 'x.example.com/' },
    says: [['region', '"x.example.com/"']],
  },
  ...['yes', 'tRuE', ' true', 'no', '2', 'y'].map((usePodIdentity) => ({
    name: `usePodIdentity "${usePodIdentity}"`,
    parameters: { usePodIdentity },
    says: [['failed to parse usePodIdentity', `"${usePodIdentity}"`]],
  })),
  ...['--', 'é', 'none', 'true', ' '.repeat(2)].map((pathTranslation) => ({
    name: `pathTranslation "${pathTranslation}"`,
    parameters: { pathTranslation },
    says: [['pathTranslation must be', "'False' or a single character", `"${pathTranslation}"`]],
  })),
  { name: 'a map for objects', parameters: { objects: 'array: |\n  - x' }, says: [['must be a list', 'array:']] },
  { name: 'a text for objects', parameters: { objects: 'x' }, says: [['must be a list']] },
  { name: 'broken YAML', parameters: { objects: '- objectName: "a\n' }, says: [['cannot be read as YAML', 'line 2']] },
  { name: 'tabs', parameters: { objects: '- objectName: a\n\tobjectType: b\n' }, says: [['cannot be read as YAML']] },
];

const several: readonly RefusedClass[] = [
  {
    name: 'an entry without fields',
    parameters: { objects: `-\n- objectName: a\n  ${SM}\n` },
    says: [['objects[0]', 'Empty descriptor entry']],
  },
  {
    name: 'all that is wrong, in the order of the entries',
    parameters: {
      objects: `[{objectName: a}, {${SM}}, ~, {objectName: b, objectType: ssm, filePermission: "9", jmesPath: [{}]}]`,
      failoverRegion: 'us-west-2',
      usePodIdentity: 'si',
      pathTranslation: 'no',
    },
    says: [
      ['cannot be the same as'],
      ['failed to parse usePodIdentity'],
      ['pathTranslation must be'],
      ['objects[0] "a"', 'Must use objectType'],
      ['objects[1]', 'name must be specified'],
      ['objects[2]', 'Empty descriptor entry'],
      ['objects[3] "b"', 'Invalid objectType: ssm'],
      ['objects[3] "b"', 'Invalid File Permission: 9'],
      ['objects[3] "b"', 'jmesPath[0]', 'Path must be specified'],
      ['objects[3] "b"', 'jmesPath[0]', 'alias must be specified'],
    ],
  },
  {
    name: 'a wrong shape before what AWS\u2019s provider would check later',
    parameters: { objects: `[{objectName: a}, {objectName: [b]}, 3]` },
    says: [
      ['objects[1]', 'a list'],
      ['objects[2]', 'a text'],
      ['objects[0] "a"', 'Must use objectType'],
    ],
  },
];

export const refusedParameters: readonly RefusedClass[] = [...parameters, ...several];
