/** UTF-16 units; each class is shorter than the limit. */
const LONG = 60_000;

function listOf(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

/** `objects` parameters of at most about 100 kB, which aliases and merges expand to some hundred MiB. */
export const ALIAS_CLASSES: Readonly<Record<string, string>> = {
  names: [
    `- {objectName: &a "${'x'.repeat(LONG)}", objectType: secretsmanager, objectAlias: f}\n`,
    listOf(450, (index) => `- {objectName: *a, objectType: secretsmanager, objectAlias: f${index}}\n`),
  ].join(''),
  versions: [
    `- {objectName: a, objectVersion: &a "${'x'.repeat(LONG)}", objectType: secretsmanager, objectAlias: f}\n`,
    listOf(
      450,
      (index) => `- {objectName: a, objectVersion: *a, objectType: secretsmanager, objectAlias: f${index}}\n`,
    ),
  ].join(''),
  expressions: [
    `- {objectName: a, objectType: secretsmanager, jmesPath: [{path: &a "${'a'.repeat(4000)}", objectAlias: f}`,
    listOf(1900, (index) => `,{path: *a,objectAlias: f${index}}`),
    ']}\n',
  ].join(''),
  keys: [`- {objectName: a, ? &a "${'x'.repeat(LONG)}" : b}\n`, '- {? *a : b}\n'.repeat(450)].join(''),
  merges: [
    `- &m {objectName: "${'x'.repeat(LONG)}", objectType: secretsmanager}\n`,
    listOf(450, (index) => `- {<<: *m, objectAlias: f${index}}\n`),
  ].join(''),
  'entries that share their extractions': [
    '- objectName: a\n  objectType: secretsmanager\n  jmesPath: &j [',
    listOf(90, (index) => `{path: a, objectAlias: f${index}},`),
    ']\n',
    listOf(400, (index) => `- {objectName: a${index}, objectType: secretsmanager, jmesPath: *j}\n`),
  ].join(''),
};
