import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackedNode, failureOf, startAttackedNode } from './node/attacked-node.ts';
import { LONGEST_WORK_MS } from './node/attacked-process.ts';

let node: AttackedNode;
beforeAll(async () => {
  node = await startAttackedNode();
});
afterAll(() => node[Symbol.asyncDispose]());

const TYPE = 'objectType: secretsmanager';

function listOf(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

/** Directories of one letter each. */
function deep(count: number, name: string): string {
  return `${'d/'.repeat(count)}${name}`;
}

const TOO_LARGE: Readonly<Record<string, readonly [objects: string, says: RegExp]>> = {
  'too many objects': [
    listOf(2000, (index) => `- {objectName: n${index}, ${TYPE}}\n`),
    /lists 2000 objects, more than the 500/,
  ],
  'too many extractions': [
    listOf(25, (of) =>
      [
        `- {objectName: n${of}, ${TYPE}, jmesPath: [`,
        listOf(100, (index) => `{path: a, objectAlias: f${of}-${index}},`),
        ']}\n',
      ].join(''),
    ),
    /more than 2000 entries in its jmesPath lists/,
  ],
  'a long name': [`- {objectName: "${'n'.repeat(3000)}", ${TYPE}}`, /objectName: it is 3000 characters long/],
  'a long version': [`- {objectName: n, objectVersion: "${'v'.repeat(65)}", ${TYPE}}`, /objectVersion: it is 65/],
  'a long label': [
    `- {objectName: n, objectVersionLabel: "${'v'.repeat(257)}", ${TYPE}}`,
    /objectVersionLabel: it is 257/,
  ],
  'a long alias': [`- {objectName: n, objectAlias: "${'v'.repeat(3000)}", ${TYPE}}`, /objectAlias: it is 3000/],
  'a deep path': [`- {objectName: ${deep(1000, 'n')}, ${TYPE}}`, /more than 30 directories/],
  'many directories': [
    listOf(400, (index) => `- {objectName: ${index}/${deep(20, 'n')}, ${TYPE}}\n`),
    /the 2000 that a volume may have/,
  ],
  'errors without end': [
    listOf(500, (index) => `- {objectName: "${index}${'n'.repeat(100)}", objectAlias: .., nope: 1, objectType: x}\n`),
    /^1000 problems: \(1\)/,
  ],
  'commas without end': [`[a${','.repeat(129_000)}]`, /more than 80000 names, texts, signs and line ends/],
  'closing brackets without end': [']'.repeat(129_000), /cannot be read as YAML/],
  'anchors without end': [`- ${'&a '.repeat(43_000)}`, /more than 80000 names, texts, signs and line ends/],
  'directives without end': ['%A\n'.repeat(43_000), /more than 20000 comments and directives/],
};

describe('a class that is too large', () => {
  it.for(Object.entries(TOO_LARGE))('is refused soon and clearly: %s', async ([name, [objects, says]]) => {
    const pod = await node.addPod('shop', `web-${name.replaceAll(' ', '-')}`, 'web');
    await node.provider.condition();

    const failure = await failureOf(node.mount(pod, { objects, pathTranslation: 'False' }));
    const { workMs } = await node.provider.condition();

    expect(failure.message).toMatch(says);
    expect(failure.message.length).toBeLessThan(20_000);
    expect(workMs).toBeLessThan(LONGEST_WORK_MS);
  });
});

it('accepts the largest class that is allowed, and serves others meanwhile', async () => {
  const pod = await node.addPod('shop', 'largest', 'web');
  const objects = listOf(50, (of) =>
    [
      `- {objectName: n${of}, ${TYPE}, jmesPath: [`,
      listOf(40, (index) => `{path: a, objectAlias: f${of}-${index}},`),
      ']}\n',
    ].join(''),
  );
  await node.provider.condition();

  // None of the secrets exists: only parsing matters here.
  const attack = failureOf(node.mount(pod, { objects }));
  await node.victimMount();
  const failure = await attack;
  const { workMs } = await node.provider.condition();

  expect(failure.message).not.toContain('YAML');
  expect(failure.message).toContain('n0');
  // Its YAML is composed in one step: some 50 ms on an idle machine.
  expect(workMs).toBeLessThan(LONGEST_WORK_MS);
});
