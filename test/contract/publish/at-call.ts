import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const CHANGING = [
  'mkdtempSync',
  'mkdirSync',
  'openSync',
  'writeFileSync',
  'chmodSync',
  'fchmodSync',
  'symlinkSync',
  'renameSync',
  'unlinkSync',
  'rmdirSync',
] as const;
const READING = ['lstatSync', 'statSync', 'readdirSync', 'readFileSync', 'readlinkSync'] as const;

type Name = (typeof CHANGING)[number] | (typeof READING)[number];

/**
 * Until disposed of, this is called before each call of these functions, and throws if the call is not allowed.
 * @param before gets the arguments of the call
 */
function beforeEach(names: readonly Name[], before: (name: Name, args: readonly unknown[]) => void): Disposable {
  const real = names.map((name): [Name, (...args: never[]) => unknown] => [name, fs[name]]);
  const asking = real.map(([name, call]) => [
    name,
    (...args: never[]) => {
      before(name, args);
      return call(...args);
    },
  ]);
  Object.assign(fs, Object.fromEntries(asking));
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      Object.assign(fs, Object.fromEntries(real));
      syncBuiltinESMExports();
    },
  };
}

/** Until disposed of, the `at`-th call that would change a file system, counted from 1, does this instead. */
export function atCall(at: number, instead: (name: string) => never): Disposable {
  return atCalls((nth) => nth === at, instead);
}

/** Until disposed of, no call from the `at`-th on changes a file system, as in a process that is killed there. */
export function killedAt(at: number): Disposable & { readonly isKilled: () => boolean } {
  let isKilled = false;
  const calls = atCalls(
    (nth) => nth >= at,
    () => {
      isKilled = true;
      throw new Error('killed');
    },
  );
  return { isKilled: () => isKilled, [Symbol.dispose]: () => calls[Symbol.dispose]() };
}

function atCalls(isMeant: (nth: number) => boolean, instead: (name: string) => never): Disposable {
  let calls = 0;
  return beforeEach(CHANGING, (name, [, flags]) => {
    const isChange = name !== 'openSync' || flags === 'wx';
    calls += isChange ? 1 : 0;
    if (isChange && isMeant(calls)) {
      instead(name);
    }
  });
}

/** Until disposed of, this happens before the `at`-th call that works on a file system, counted from 1. */
export function beforeCall(at: number, happens: () => void): Disposable & { readonly hasHappened: () => boolean } {
  let calls = 0;
  const asking = beforeEach([...CHANGING, ...READING], () => {
    calls += 1;
    if (calls === at) {
      happens();
    }
  });
  return { hasHappened: () => calls >= at, [Symbol.dispose]: () => asking[Symbol.dispose]() };
}

/** Until disposed of, this happens just before the first rename. */
export function beforeRename(happens: (from: string) => void): Disposable {
  let isFirst = true;
  return beforeEach(['renameSync'], (_, [from]) => {
    if (isFirst) {
      isFirst = false;
      happens(String(from));
    }
  });
}
