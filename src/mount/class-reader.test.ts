import { SYSTEM_CLOCK } from '../concurrency/clock.ts';
import { createTimeSlices } from '../concurrency/time-slices.ts';
import { expect, it } from 'vitest';
import { parseClass } from '../class/parse-class.ts';
import { createClassReader } from './class-reader.ts';

const CONTEXT = { region: 'us-east-1', mode: 0o644 };

function classOf(objectName: string, rest: Readonly<Record<string, string>> = {}): ReadonlyMap<string, string> {
  return new Map(Object.entries({ objects: `[{objectName: ${objectName}, objectType: secretsmanager}]`, ...rest }));
}

/** A reader for a caller that waits without a limit. */
function readerOf(maxSize?: number) {
  const reader = createClassReader(createTimeSlices(SYSTEM_CLOCK), SYSTEM_CLOCK, maxSize);
  return (...[parameters, context]: Parameters<typeof parseClass>) =>
    reader(parameters, context, ['shop', 'web'], new AbortController().signal);
}

it('parses a class, and caches it', async () => {
  const read = readerOf();
  const first = await read(classOf('db'), CONTEXT);

  expect(first).toEqual(parseClass(classOf('db'), CONTEXT));
  expect(await read(classOf('db'), CONTEXT)).toBe(first);
});

it.for([
  ['objects', classOf('db2'), CONTEXT],
  ['another parameter', classOf('db', { pathTranslation: '-' }), CONTEXT],
  ['the region of the node', classOf('db'), { ...CONTEXT, region: 'us-west-2' }],
  ['the mode', classOf('db'), { ...CONTEXT, mode: 0o400 }],
] as const)('parses it again if %s changed', async ([, parameters, context]) => {
  const read = readerOf();
  await read(classOf('db'), CONTEXT);

  expect(await read(parameters, context)).toEqual(parseClass(parameters, context));
});

it('reports each problem each time', async () => {
  const read = readerOf();
  const wrong = new Map([['objects', '[{objectName: a}]']]);

  expect([await read(wrong, CONTEXT), await read(wrong, CONTEXT)]).toEqual([
    parseClass(wrong, CONTEXT),
    parseClass(wrong, CONTEXT),
  ]);
});

it('caches within its bounds, and evicts what was used least recently', async () => {
  const read = readerOf(200);
  const [a, b] = [await read(classOf('a'), CONTEXT), await read(classOf('b'), CONTEXT)];
  await read(classOf('a'), CONTEXT);
  await read(classOf('c'), CONTEXT);

  expect(await read(classOf('a'), CONTEXT)).toBe(a);
  expect(await read(classOf('b'), CONTEXT)).not.toBe(b);
});

it('parses a class that is too large to be cached', async () => {
  const read = readerOf(50);
  const first = await read(classOf('a'), CONTEXT);

  expect(first.ok).toBe(true);
  expect(await read(classOf('a'), CONTEXT)).not.toBe(first);
});
