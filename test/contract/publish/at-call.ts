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

/** Until disposed of, the `at`-th call that would change a file system, counted from 1, does this instead. */
export function atCall(at: number, instead: (name: string) => never): Disposable {
  let calls = 0;
  const real = { ...fs };
  for (const name of CHANGING) {
    const call: (...args: never[]) => unknown = real[name];
    Object.assign(fs, {
      [name]: (...args: never[]) => {
        if (name === 'openSync' && args[1] !== 'wx') {
          return call(...args);
        }
        calls += 1;
        return calls === at ? instead(name) : call(...args);
      },
    });
  }
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      Object.assign(fs, real);
      syncBuiltinESMExports();
    },
  };
}

/** Until disposed of, this happens just before the first rename. */
export function beforeRename(happens: (from: string) => void): Disposable {
  const real = fs.renameSync;
  let isFirst = true;
  function renameSync(...[from, to]: Parameters<typeof real>): void {
    if (isFirst) {
      isFirst = false;
      happens(String(from));
    }
    real(from, to);
  }
  Object.assign(fs, { renameSync });
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      Object.assign(fs, { renameSync: real });
      syncBuiltinESMExports();
    },
  };
}
