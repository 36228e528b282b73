import * as fc from 'fast-check';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directoriesOf, filePath, pathProblem } from './file-path.ts';

/** Includes half surrogate pairs. */
const anyUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit));

/** The driver's own check (validatePath in pkg/util/fileutil), and the names that its layout reserves. */
function driverRefuses(path: string): boolean {
  return (
    path === '' ||
    posix.isAbsolute(path) ||
    Buffer.byteLength(path) > 4096 ||
    path.split('/').some((element) => element === '..' || Buffer.byteLength(element) > 255) ||
    path.startsWith('..') ||
    posix.normalize(path) !== path ||
    path.endsWith('/') ||
    path === '.'
  );
}

const anyPath = fc
  .array(
    fc.oneof(
      fc.constantFrom('.', '..', '/', '//', '...', 'a', 'é'.repeat(200)),
      fc.string({ unit: anyUnit, maxLength: 3 }),
    ),
    {
      maxLength: 12,
    },
  )
  .map((pieces) => pieces.join(''));

describe('pathProblem', () => {
  it('accepts no path that the driver refuses, and refuses no other one except NUL', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        expect(pathProblem(path) !== undefined).toBe(driverRefuses(path) || path.includes('\0'));
      }),
      { numRuns: 1000 },
    );
  });

  it('accepts no path that leads out of the volume', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        fc.pre(pathProblem(path) === undefined);

        expect(posix.join('/volume', path)).toBe(`/volume/${path}`);
      }),
    );
  });
});

describe('filePath', () => {
  it('makes any name one element if slashes are replaced', () => {
    fc.assert(
      fc.property(fc.string({ unit: anyUnit }), fc.constantFrom('_', '-', '$', '.'), (name, translation) => {
        expect(filePath(name, translation)).toBe(name.split('/').join(translation));
      }),
    );
  });

  it('removes all leading slashes, and only those, if slashes are kept', () => {
    expect(filePath('///a//b/', '')).toBe('a//b/');
  });
});

describe('directoriesOf', () => {
  it('names each directory above a file, from the top', () => {
    expect(directoriesOf('a/b/c')).toEqual(['a', 'a/b']);
  });

  it('names none for a file at the top', () => {
    expect(directoriesOf('a')).toEqual([]);
  });
});
