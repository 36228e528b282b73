import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareText, formatGoJson, type GoJson, parseGoJson } from './go-json.ts';

/** Includes half surrogate pairs. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

function format(value: GoJson): string {
  return formatGoJson(value, () => {});
}

describe('parseGoJson', () => {
  it('keeps keys that are special in JavaScript', () => {
    const result = parseGoJson('{"__proto__": "p", "constructor": "c"}');

    expect(result).toEqual({
      ok: true,
      value: { ['__proto__']: 'p', constructor: 'c' },
    });
  });

  it('uses the last of equal keys', () => {
    expect(parseGoJson('{"a": 1, "a": 2}')).toEqual({ ok: true, value: { a: 2 } });
  });

  it('replaces half surrogate pairs, in keys too', () => {
    expect(parseGoJson(String.raw`{"\ud800": "a\udc00b"}`)).toEqual({
      ok: true,
      value: { '\ufffd': 'a\ufffdb' },
    });
  });

  it.for([
    ['', 'it is empty'],
    [' \n', 'it is empty'],
    ['nope', 'not valid JSON'],
    ['\ufeff{}', 'not valid JSON'],
    ['{} x', 'not valid JSON'],
    ['{"a": 1e999}', 'too large'],
    ['[[-1e999]]', 'too large'],
    [`${'['.repeat(501)}${']'.repeat(501)}`, 'levels deep'],
    [`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`, 'levels deep'],
    [`${'{"a":'.repeat(1_000_000)}1${'}'.repeat(1_000_000)}`, 'levels deep'],
    ['['.repeat(1_000_000), 'not valid JSON'],
  ] as const)('refuses %s', ([text, reason]) => {
    expect(parseGoJson(text)).toEqual({ ok: false, reason: expect.stringContaining(reason) });
  });

  it('handles brackets inside strings', () => {
    const text = JSON.stringify(`\\"${'['.repeat(1000)}`);

    expect(parseGoJson(text)).toMatchObject({ ok: true });
  });

  it('never quotes the text in its reason', () => {
    const result = parseGoJson('{"password": hunter2}');

    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain('hunter');
  });

  it('reads back anything that it writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3, stringUnit: anyUnit }), (json) => {
        const value = parseGoJson(JSON.stringify(json));

        expect(value).toMatchObject({ ok: true });
        expect(value.ok && parseGoJson(format(value.value))).toEqual(value);
      }),
      { numRuns: 50 },
    );
  });
});

describe('formatGoJson', () => {
  it.for([
    [null, 'null'],
    [true, 'true'],
    [-0, '-0'],
    [12345678901234567000, '12345678901234567000'],
    [1e21, '1e+21'],
    [1e20, '100000000000000000000'],
    [1.5e-7, '1.5e-7'],
    [0.000001, '0.000001'],
    [
      '<a href="x">&\u2028\u2029\u007f\b\u0001</a>',
      String.raw`"\u003ca href=\"x\"\u003e\u0026\u2028\u2029` + '\u007f' + String.raw`\b\u0001\u003c/a\u003e"`,
    ],
    [[1, [], {}], '[1,[],{}]'],
  ] as const)('writes %s as Go does', ([value, text]) => {
    expect(format(value)).toBe(text);
  });

  it('sorts keys by code point', () => {
    const value = Object.fromEntries(['b', '\ufffd', '😀', 'a', '10', '9', ''].map((key) => [key, 0]));

    expect(format(value)).toBe('{"":0,"10":0,"9":0,"a":0,"b":0,"\ufffd":0,"😀":0}');
  });

  it('reports the length of all that it writes', () => {
    let spent = 0;

    const text = formatGoJson({ key: ['text', 1, null] }, (length) => {
      spent += length;
    });

    expect(spent).toBeGreaterThanOrEqual(text.length - 5);
  });
});

describe('compareText', () => {
  it('orders texts as their UTF-8 bytes are ordered', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit }), fc.string({ unit: anyUnit }), (left, right) => {
        const [a, b] = [left, right].map((text) => Buffer.from(text.toWellFormed()));
        const bytes = Buffer.compare(a!, b!);

        expect(Math.sign(compareText(left.toWellFormed(), right.toWellFormed()))).toBe(bytes);
      }),
    );
  });
});
