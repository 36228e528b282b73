import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import parity from '../../test/parity/jmespath.json' with { type: 'json' };
import { ProviderError } from '../model/errors.ts';
import { SecretBytes } from '../model/secret-bytes.ts';
import type { Extraction, ObjectSpec } from '../model/mount-spec.ts';
import { createJmesPath } from '../class/jmespath/jmespath.ts';
import { extract } from './extract.ts';

/** Includes half surrogate pairs. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

function objectWith(...expressions: readonly string[]): ObjectSpec {
  const extractions = expressions.map((expression, index): Extraction => ({
    expression,
    alias: `alias-${index}`,
    path: `path-${index}`,
    mode: 0o400 + index,
  }));
  return {
    store: 'secretsmanager',
    name: 'prod/db',
    path: 'prod_db',
    mode: 0o644,
    primary: { name: 'prod/db' },
    failover: { name: 'prod/db' },
    extractions,
  };
}

function extractFrom(value: string | Uint8Array, ...expressions: readonly string[]) {
  const bytes = typeof value === 'string' ? SecretBytes.fromText(value) : new SecretBytes(value);
  return [...extract(objectWith(...expressions), bytes, createJmesPath())];
}

/** The only extracted value: its text, or the message. */
function cutOut(value: string, expression: string): string {
  const [, cut] = extractFrom(value, expression);
  return cut instanceof ProviderError ? cut.message : (cut?.value.exposeText() ?? 'nothing was cut out');
}

/** The largest size that Secrets Manager accepts. */
const LARGEST = {
  list: JSON.stringify(Array.from({ length: 32_000 }, (_, index) => index % 10)),
  texts: JSON.stringify(Array.from({ length: 16_000 }, (_, index) => String(index % 10))),
  text: JSON.stringify('x'.repeat(65_000)),
  object: JSON.stringify(Object.fromEntries(Array.from({ length: 8000 }, (_, index) => [index.toString(36), 0]))),
};

/** How messages describe a text, by the word for it in the vectors. */
const FRAGMENT: { readonly [gives: string]: string } = {
  nothing: 'does not point to',
  other: 'Only string',
  refused: 'Invalid JMES Path',
  'no-json': 'Invalid JSON used',
};

interface Outcome {
  readonly gives: string;
  readonly text?: string;
}

/** Expressions for which go-jmespath has another result. A refusal says how to write the expression instead, if that is possible. */
const DIFFERENT: ReadonlyMap<string, Outcome & { readonly why: string }> = new Map(
  Object.entries({
    '""': { gives: 'refused', why: 'the library finds nothing under the empty name' },
    "db.replicas[?tags].tags[?@=='y'][]": { gives: 'refused', why: 'the library filters each item, not the list' },
    "db.replicas[?tags].tags[?@=='y'] | to_string(@)": { gives: 'refused', why: 'the same' },
    'nested[0][:] | to_string(@)': { gives: 'refused', why: 'the library makes no projection of such a slice' },
    "words[:::] | join(',', @)": { gives: 'refused', why: 'the library knows two colons in a slice' },
    'words[99999999999999999999]': { gives: 'nothing', why: 'the library reads an index of any size' },
    'to_string({"__proto__": username})': { gives: 'refused', why: 'the library would set a prototype' },
    'to_string([port < username][])': {
      gives: 'text',
      text: '[null]',
      why: 'what cannot be compared is undefined there',
    },
    "(port < username) == `null` && 'y' || 'n'": { gives: 'text', text: 'n', why: 'the same' },
    'avg(list)': { gives: 'refused', why: 'Go goes on with NaN, which is no JSON' },
    'to_string(sort(port)[?@])': { gives: 'refused', why: 'Go forgets an error before a filter' },
    "'a' || nope(@)": { gives: 'refused', why: 'names of functions are checked when the class is parsed' },
  }),
);

describe('extract, compared with go-jmespath,', () => {
  it.for(parity.vectors)('$expression gives $gives', (vector) => {
    const { gives, text }: Outcome = DIFFERENT.get(vector.expression) ?? vector;

    const found = cutOut(vector.json ?? parity.document, vector.expression);

    const outcome = text === undefined ? Object.keys(FRAGMENT).find((word) => found.includes(FRAGMENT[word]!)) : found;
    expect(outcome).toBe(text ?? gives);
  });

  it.for([...DIFFERENT])('differs in %s', ([expression, { gives, text }]) => {
    const vector = parity.vectors.find((each) => each.expression === expression);

    expect(vector).toBeDefined();
    expect([vector?.gives, vector?.text]).not.toEqual([gives, text]);
  });

  it('gives its result for the expression that the refusal suggests', () => {
    expect(cutOut(parity.document, "db.replicas[?tags].tags | [?@=='y'] | to_string(@)")).toBe('[]');
    expect(cutOut(parity.document, 'nested[0] | [:] | to_string(@)')).toBe('[1,2]');
  });

  it('returns the values of an object in the order of its keys', () => {
    expect(cutOut('{"b": "2", "a": "1", "c": "3"}', "join('', *)")).toBe('123');
    expect(cutOut('{"b": "2", "a": "1", "c": "3"}', "join('', values(@))")).toBe('123');
    expect(cutOut('{"b": "2", "a": "1", "c": "3"}', "join('', keys(@))")).toBe('abc');
  });

  it('does not change the value for the next expression', () => {
    const [, first, second] = extractFrom('{"l": ["b", "a"]}', "join('', sort(l))", "join('', l)");

    expect([first, second].map((file) => (file instanceof ProviderError ? file : file?.value.exposeText()))).toEqual([
      'ab',
      'ba',
    ]);
  });
});

describe('extract', () => {
  it('gives the whole value first, then the extracted values, each with its path and mode', () => {
    const files = extractFrom('{"user": "u", "pw": "p"}', 'user', 'pw');

    expect(
      files.map((file) => (file instanceof ProviderError ? file : { ...file, value: file.value.exposeText() })),
    ).toEqual([
      { path: 'prod_db', mode: 0o644, value: '{"user": "u", "pw": "p"}' },
      { path: 'path-0', mode: 0o400, value: 'u' },
      { path: 'path-1', mode: 0o401, value: 'p' },
    ]);
  });

  it('accepts any bytes if nothing is extracted', () => {
    const bytes = Uint8Array.of(0, 0xff, 0x7b);

    const [file] = extractFrom(bytes);

    expect(file instanceof ProviderError ? file : file?.value.expose()).toEqual(bytes);
  });

  it('reads JSON from bytes that are not all UTF-8', () => {
    const bytes = new Uint8Array(Buffer.concat([Buffer.from('{"a": "x'), Buffer.from([0xff]), Buffer.from('y"}')]));

    const [, file] = extractFrom(bytes, 'a');

    expect(file instanceof ProviderError ? file : file?.value.exposeText()).toBe('x\ufffdy');
  });

  it('reports why an expression fails, and gives the values of the others', () => {
    const [whole, good, ...bad] = extractFrom('{"a": "x"}', 'a', 'b', 'a.', 'to_number(a)', '`1`');

    expect([whole, good].some((file) => file instanceof ProviderError)).toBe(false);
    expect(bad.map((error) => (error instanceof ProviderError ? [error.reason, error.object] : error))).toEqual(
      Array.from({ length: 4 }, () => ['ValueUnusable', 'prod/db']),
    );
  });

  it('reports once that the value is not JSON', () => {
    const [, ...errors] = extractFrom('nope', 'a', 'b');

    expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('Invalid JSON used') })]);
  });

  it('explains how to quote a name, and how to mount a value that is not a string', () => {
    expect(cutOut('{"a-b": "x"}', 'a-b')).toContain(`'"a-b"'`);
    expect(cutOut('{"port": 1}', 'port')).toContain('to_string(');
  });

  it.for([
    ['lists that double', 'list', `[@, @]${' | [@, @]'.repeat(200)} | [*]`],
    ['lists that double and flatten', 'list', `[@, @][]${' | [@, @][]'.repeat(200)}`],
    ['texts that double', 'text', `@${" | join('', [@, @])".repeat(100)}`],
    ['texts between texts', 'texts', "join(join('', @), @)"],
    ['objects that double, as text', 'text', `to_string(${'{a: @, b: @} | '.repeat(100)}@)`],
    [
      'comparisons of what doubles',
      'list',
      `[[@, @]${' | [@, @]'.repeat(60)}, [@, @]${' | [@, @]'.repeat(60)}] | [0] == [1]`,
    ],
    ['slices of what doubles', 'list', `[@, @]${' | [@, @][:][]'.repeat(100)}`],
    ['loops in loops over literals', 'list', `${'map(&'.repeat(20)}@${', `[1, 1, 1, 1]`)'.repeat(20)}`],
    ['loops in loops over what doubles', 'list', `${'map(&'.repeat(20)}@${', [@, @, @, @])'.repeat(20)}`],
    ['calls in a loop', 'list', `map(&${'to_string('.repeat(40)}@${')'.repeat(40)}, @)`],
    ['long texts in a loop', 'list', `map(&${'reverse('.repeat(4)}'${'x'.repeat(200)}'${')'.repeat(4)}, @)`],
    ['names in a loop', 'list', `[*]${'.a'.repeat(100)}`],
    ['lists in a loop', 'list', `[*].${'['.repeat(100)}@${']'.repeat(100)}`],
    ['sorting again and again', 'list', `[${'sort(@), '.repeat(300)}@]`],
    ['merging again and again', 'object', `merge(${'@, '.repeat(1000)}@)`],
    ['listing keys again and again', 'object', `[${'keys(@), '.repeat(300)}@]`],
    ['choosing again and again', 'object', `x${' || !@'.repeat(600)}`],
    ['writing again and again', 'object', `[${'to_string(@), '.repeat(200)}@]`],
  ] as const)('refuses %s, soon', ([, largest, expression]) => {
    const started = performance.now();

    const message = cutOut(LARGEST[largest], expression);

    expect(message).toContain('too much work');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('detects quickly that a long text is not a number', () => {
    const started = performance.now();

    const message = cutOut(JSON.stringify(`${'1'.repeat(65_000)}x`), 'to_number(@)');

    expect(message).toContain('does not point to');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('does not refuse a long expression that takes little work', () => {
    const names = Array.from({ length: 60 }, (_, index) => `NAME_${index}`);
    const lines = names.map((name) => `join('=', ['${name}', ${name} || 'x', hosts[*].name | [0]])`);
    const json = JSON.stringify({
      ...Object.fromEntries(names.map((name) => [name, 'v'])),
      hosts: Array.from({ length: 100 }, () => ({ name: 'h' })),
    });

    expect(cutOut(json, `join('\n', [${lines.join(', ')}])`)).toBe(names.map((name) => `${name}=v=h`).join('\n'));
  });

  it('refuses what is too long or too deep', () => {
    expect(cutOut('{}', 'a'.repeat(5000))).toContain('longer than');
    expect(cutOut(`{"a": ${'['.repeat(9000)}${']'.repeat(9000)}}`, 'a')).toContain('levels deep');
  });

  it.for(['(', '[', '!', '[?', '&', '{a: ', 'to_array(', 'map(&'])('survives thousands of %s', (opening) => {
    const closing = { '(': ')', '[': ']', '{': '}' }[opening[0]!] ?? '';
    const times = Math.floor(4000 / (opening.length + closing.length));

    for (const expression of [`${opening.repeat(times)}a${closing.repeat(times)}`, opening.repeat(times)]) {
      expect(cutOut('{"a": "x"}', expression)).not.toContain('cannot be evaluated');
    }
  });

  it('evaluates a chain as long as an expression may be', () => {
    expect(cutOut('{}', `a${'.a'.repeat(2000)}`)).toContain('does not point to');
    expect(cutOut('[]', `[0]${'[0]'.repeat(1300)}`)).toContain('does not point to');
  });

  it('accepts a secret of the largest size as text', () => {
    const json = JSON.stringify({ list: Array.from({ length: 6000 }, (_, index) => `item ${index}`) });

    expect(cutOut(json, 'to_string(list)')).toBe(JSON.stringify(JSON.parse(json).list));
  });

  it('never shows a part of the value in an error', () => {
    const canary = 'hunter2';
    const values = [
      canary,
      `{"a": ${canary}}`,
      `{"a": "${canary}"`,
      `{"a": "${canary}", "${canary}": 1}`,
      `["${canary}"]`,
    ];
    const expressions = [
      'b',
      '@',
      'a.',
      'abs(a)',
      'sum([a])',
      'nope(a)',
      'a[::0]',
      'sort_by(@, &a)',
      'merge(a)',
      'to_number(a)',
    ];

    const errors = values
      .flatMap((value) => extractFrom(value, ...expressions))
      .filter((part) => part instanceof ProviderError);

    expect(errors.length).toBeGreaterThan(20);
    for (const error of errors) {
      expect(error.cause).toBeUndefined();
      expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain(canary);
    }
  });

  it('gives a text or a reason for any expression and value', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        '"b"',
        '.',
        '*',
        '[',
        ']',
        '[]',
        '[?',
        '{',
        '}',
        '(',
        ')',
        ',',
        ':',
        '@',
        '&',
        '!',
        '|',
        '||',
        '&&',
        '==',
      ),
      fc.constantFrom(
        '<',
        '0',
        '-1',
        '`1`',
        '`"',
        "'x'",
        ' ',
        'sort_by(',
        'to_string(',
        'map(&',
        'length(',
        'join(',
        'merge(',
      ),
      fc.string({ unit: anyUnit, maxLength: 2 }),
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.json({ maxDepth: 2 }), (pieces, json) => {
        const files = extractFrom(json, pieces.join(''));

        expect(files).toHaveLength(2);
        expect(files[1] instanceof ProviderError ? files[1].message : '').not.toContain('cannot be evaluated');
      }),
      { numRuns: 150 },
    );
  });
});
