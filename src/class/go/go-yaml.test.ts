import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../../test/parity/yaml.json' with { type: 'json' };
import { finish } from '../../concurrency/time-slices.ts';
import { readYaml, type YamlValue } from './go-yaml.ts';
import { readObjectFields, type Texts } from '../object-fields.ts';

/** Includes half surrogate pairs. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

/** The entries of `objects` as in the vectors: without empty fields. */
function readObjects(text: string): { readonly objects: readonly unknown[] } | { readonly refused: true } {
  const result = finish(readYaml(text));
  if (!result.ok || result.value.kind === 'text' || result.value.kind === 'map') {
    return { refused: true };
  }
  const entries = result.value.kind === 'list' ? result.value.items.map(readEntry) : [];
  return entries.includes('refused') ? { refused: true } : { objects: entries };
}

function readEntry(entry: YamlValue): object | null | 'refused' {
  if (entry.kind !== 'map') {
    return entry.kind === 'null' ? null : 'refused';
  }
  const problems: string[] = [];
  const fields = readObjectFields(entry, { problem: (message) => problems.push(message), warning: () => {} });
  const jmesPath = fields.jmesPath.map(({ texts }) => plain(texts));
  const failoverObject = plain(fields.failover);
  return problems.length > 0
    ? 'refused'
    : {
        ...plain(fields.texts),
        ...(jmesPath.length > 0 && { jmesPath }),
        ...(Object.keys(failoverObject).length > 0 && { failoverObject }),
      };
}

function plain(texts: Texts<string>): object {
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [name, value?.text]));
}

describe('readYaml', () => {
  it.for(vectors)('reads $yaml as Go does', ({ yaml, ...expected }) => {
    const found = readObjects(yaml);

    expect(found).toEqual(expected);
  });

  it('refuses entries that are indented less than the first, which Go drops silently', () => {
    const result = finish(readYaml('  - objectName: a\n- objectName: b\n'));

    expect(result).toMatchObject({ ok: false, offset: expect.any(Number) });
  });

  it.for([
    ['flow lists', '['.repeat(100_000)],
    ['flow maps', '{a: '.repeat(30_000)],
    ['block lists', '- '.repeat(60_000)],
    ['keys', '? '.repeat(60_000)],
    ['lists, each on a line of its own', Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth)}-\n`).join('')],
  ] as const)('refuses endlessly nested %s', ([, text]) => {
    const started = performance.now();

    const result = finish(readYaml(text));

    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('levels deep') });
    expect(performance.now() - started).toBeLessThan(300);
  });

  it('refuses aliases that multiply, without expanding them', () => {
    const lines = Array.from({ length: 30 }, (_, level) => `- &l${level + 1} [*l${level}, *l${level}, *l${level}]`);
    const text = `- &l0 [a, a, a]\n${lines.join('\n')}\n`;

    const result = finish(readYaml(text));

    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('aliases') });
  });

  it('refuses merges that multiply', () => {
    const keys = Array.from({ length: 200 }, (_, index) => `k${index}: v`).join(', ');
    const text = `- &m {${keys}}\n${'- <<: *m\n'.repeat(2000)}`;

    const result = finish(readYaml(text));

    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('aliases') });
  });

  it.for([
    ['texts', `- &a ${'x'.repeat(60_000)}\n${'- *a\n'.repeat(10)}`],
    ['keys', `- {? &a ${'x'.repeat(60_000)} : b}\n${'- {? *a : b}\n'.repeat(10)}`],
    ['merges', `- &a {k: ${'x'.repeat(60_000)}}\n${'- {<<: *a}\n'.repeat(10)}`],
    ['lists in lists', `- &a [${'x'.repeat(30_000)}]\n- &b [*a, *a, *a]\n- [*b, *b, *b, *b, *b, *b]\n`],
  ] as const)('refuses aliases that expand a short text to a long one: %s', ([, text]) => {
    const result = finish(readYaml(text));

    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('characters with its aliases') });
  });

  it('accepts a long text that a few entries share', () => {
    const result = finish(readYaml(`- &a ${'x'.repeat(60_000)}\n${'- *a\n'.repeat(3)}`));

    expect(result).toMatchObject({ ok: true, value: { kind: 'list' } });
  });

  it.for([
    ['commas', `[a${','.repeat(79_000)}]`, 'Unexpected ,'],
    ['closing brackets', ']'.repeat(129_000), 'Unexpected flow-seq-end'],
    ['anchors', `- ${'&a '.repeat(30_000)}`, 'at most one anchor'],
    ['directives', '%A\n'.repeat(39_000), 'comments and directives'],
    ['empty lists', `[${'[],'.repeat(40_000)}]`, 'names, texts, signs'],
  ] as const)('stops at the first of thousands of %s', ([, text, says]) => {
    const result = finish(readYaml(text));

    expect(result).toMatchObject({ ok: false, message: expect.stringContaining(says) });
  });

  it('refuses a document that is too long', () => {
    const result = finish(readYaml('- objectName: a\n'.repeat(10_000)));

    expect(result).toMatchObject({ ok: false, message: expect.stringContaining('characters long') });
  });

  it('accepts a document of a thousand objects', () => {
    const text = Array.from(
      { length: 1000 },
      (_, index) => `- objectName: name-${index}\n  objectType: ssmparameter\n`,
    );

    const result = finish(readYaml(text.join('')));

    expect(result).toMatchObject({ ok: true, value: { kind: 'list' } });
  });

  it('gives the offset of each value in the text', () => {
    const text = '- objectName: a\n  objectType: "b"\n';

    const result = finish(readYaml(text));

    const offset = text.indexOf('"b"');
    expect(JSON.stringify(result, (_, value) => (value instanceof Map ? [...value] : value))).toContain(
      `{"kind":"text","text":"b","written":"b","offset":${offset}}`,
    );
  });

  it('gives a value or a reason for any text', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '- ',
        ': ',
        '\n',
        '  ',
        '\t',
        '[',
        ']',
        '{',
        '}',
        ',',
        '&a ',
        '*a',
        '!',
        '!!int ',
        '|',
        '>',
        '"',
        "'",
        '#',
      ),
      fc.constantFrom(
        '<<',
        '---',
        '...',
        '%YAML',
        '?',
        '~',
        '@',
        '\r',
        '\u0000',
        '\u0085',
        '\ud800',
        'objectName',
        '0644',
      ),
      fc.string({ unit: anyUnit, maxLength: 4 }),
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const result = finish(readYaml(pieces.join('')));

        expect(typeof result.ok).toBe('boolean');
      }),
      { numRuns: 200 },
    );
  });
});
