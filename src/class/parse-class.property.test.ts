import * as fc from 'fast-check';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseClass } from './parse-class.ts';

/** Includes half surrogate pairs. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

const text = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('a', 'b', 'a/b', '/a', '../a', '..', 'a/', 'a_b', 'arn:aws:ssm:us-west-2:1:parameter/a'),
  },
  { weight: 1, arbitrary: fc.string({ unit: anyUnit, maxLength: 5 }) },
);
const entry = fc.record({
  objectName: text,
  objectType: fc.constantFrom('secretsmanager', 'ssmparameter'),
  objectAlias: maybe(text),
  objectVersion: maybe(fc.constantFrom('1', 'v')),
  objectVersionLabel: maybe(fc.constantFrom('l', 'm')),
  filePermission: maybe(fc.constantFrom('0600', '7777', '0644')),
  jmesPath: maybe(fc.array(fc.record({ path: fc.constantFrom('a', 'b.c'), objectAlias: text }), { maxLength: 2 })),
  failoverObject: maybe(fc.record({ objectName: text, objectVersion: maybe(fc.constantFrom('1')) })),
});
const parameters = fc.record({
  objects: fc.array(entry, { maxLength: 3 }).map((entries) => JSON.stringify(entries)),
  pathTranslation: fc.constantFrom('', 'False', '-', '/', '.'),
  failoverRegion: fc.constantFrom('', 'us-east-1'),
});

/** Left out of the JSON, mostly. */
function maybe<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.option(value, { nil: undefined, freq: 2 });
}

function parse(given: { readonly [parameter: string]: string }) {
  return parseClass(new Map(Object.entries(given)), { region: 'us-west-2', mode: 0o644 });
}

/** Files of an accepted class. */
function filesOf(given: { readonly [parameter: string]: string }) {
  const result = parse(given);
  return result.ok ? result.spec.objects.flatMap((object) => [object, ...object.extractions]) : undefined;
}

/** Runs a check on the files of accepted classes only. */
function onAccepted(check: (files: NonNullable<ReturnType<typeof filesOf>>) => void): void {
  let accepted = 0;
  fc.assert(
    fc.property(parameters, (given) => {
      const files = filesOf(given);
      if (files !== undefined) {
        accepted += files.length > 0 ? 1 : 0;
        check(files);
      }
    }),
    { numRuns: 400 },
  );
  expect(accepted).toBeGreaterThan(20);
}

describe('an accepted class', () => {
  it('has no file outside the volume, nor one that the driver refuses', () => {
    onAccepted((files) => {
      for (const { path } of files) {
        expect(posix.join('/volume', path)).toBe(`/volume/${path}`);
        expect(path).toMatch(/^(?!\.\.)[^\0]*[^/\0]$/);
        expect(path.split('/')).not.toContain('..');
      }
    });
  });

  it('has no two objects for one file, nor a file where another needs a directory', () => {
    onAccepted((files) => {
      const paths = files.map(({ path }) => path);

      expect(new Set(paths).size).toBe(paths.length);
      expect(paths.filter((path) => paths.some((other) => other.startsWith(`${path}/`)))).toEqual([]);
    });
  });

  it('has permission bits only', () => {
    onAccepted((files) => {
      for (const { mode } of files) {
        expect(mode).toBe(mode & 0o777);
      }
    });
  });

  it('keeps its objects in their order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1, maxLength: 5, unit: 'grapheme-ascii' })), (aliases) => {
        const objects = aliases.map((objectAlias) => ({ objectName: 'n', objectType: 'ssmparameter', objectAlias }));
        const result = parse({ objects: JSON.stringify(objects), pathTranslation: '_' });
        fc.pre(result.ok);

        expect(result.ok && result.spec.objects.map(({ path }) => path)).toEqual(
          aliases.map((alias) => alias.replaceAll('/', '_')),
        );
      }),
    );
  });
});

describe('parseClass', () => {
  it('gives a spec or at least one problem for any parameters', () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom('objects', 'region', 'usePodIdentity'), fc.string()),
          fc.string({ unit: anyUnit }),
        ),
        (given) => {
          const result = parse(given);

          expect(result.ok || result.problems.length > 0).toBe(true);
        },
      ),
    );
  });

  it('gives the parameter of each problem, and the offset of one in a text', () => {
    fc.assert(
      fc.property(parameters, (given) => {
        const result = parse(given);

        for (const { parameter, offset = 0 } of result.ok ? [] : result.problems) {
          expect(Object.keys(given)).toContain(parameter);
          expect(offset).toBeLessThanOrEqual(given[parameter as keyof typeof given].length);
        }
      }),
    );
  });
});
