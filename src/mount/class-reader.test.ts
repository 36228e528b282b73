import { expect, it } from 'vitest';
import { parseClass } from '../spec/parse-class.ts';
import { createClassReader } from './class-reader.ts';

const CONTEXT = { region: 'us-east-1', mode: 0o644 };

function classOf(objectName: string, rest: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  return new Map(Object.entries({ objects: `[{objectName: ${objectName}, objectType: secretsmanager}]`, ...rest }));
}

it('reads a class as it stands, and remembers it', () => {
  const read = createClassReader();
  const first = read(classOf('db'), CONTEXT);

  expect(first).toEqual(parseClass(classOf('db'), CONTEXT));
  expect(read(classOf('db'), CONTEXT)).toBe(first);
});

it.for([
  ['objects', classOf('db2'), CONTEXT],
  ['another parameter', classOf('db', { pathTranslation: '-' }), CONTEXT],
  ['the region of the node', classOf('db'), { ...CONTEXT, region: 'us-west-2' }],
  ['the mode', classOf('db'), { ...CONTEXT, mode: 0o400 }],
] as const)('reads it anew where %s changed', ([, parameters, context]) => {
  const read = createClassReader();
  read(classOf('db'), CONTEXT);

  expect(read(parameters, context)).toEqual(parseClass(parameters, context));
});

it('tells of each mistake each time', () => {
  const read = createClassReader();
  const wrong = new Map([['objects', '[{objectName: a}]']]);

  expect([read(wrong, CONTEXT), read(wrong, CONTEXT)]).toEqual([
    parseClass(wrong, CONTEXT),
    parseClass(wrong, CONTEXT),
  ]);
});

it('remembers within its bounds, and forgets what was used least recently', () => {
  const read = createClassReader(200);
  const [a, b] = [read(classOf('a'), CONTEXT), read(classOf('b'), CONTEXT)];
  read(classOf('a'), CONTEXT);
  read(classOf('c'), CONTEXT);

  expect(read(classOf('a'), CONTEXT)).toBe(a);
  expect(read(classOf('b'), CONTEXT)).not.toBe(b);
});

it('does not remember what is too large, and reads it all the same', () => {
  const read = createClassReader(50);
  const first = read(classOf('a'), CONTEXT);

  expect(first.ok).toBe(true);
  expect(read(classOf('a'), CONTEXT)).not.toBe(first);
});
