import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/** Until disposed of, the `at`-th call that would change a file system, counted from 1, does this instead. */
export function atCall(at: number, instead: (name: string) => never): Disposable {
  let calls = 0;
  const real = { ...fs };
  for (const name of ['mkdtemp', 'mkdir', 'open', 'chmod', 'symlink', 'rename', 'unlink', 'rmdir'] as const) {
    const call: (...args: never[]) => Promise<unknown> = real[name];
    Object.assign(fs, {
      [name]: async (...args: never[]) => {
        if (name === 'open' && args[1] !== 'wx') {
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
  const real = fs.rename;
  let isFirst = true;
  async function rename(...[from, to]: Parameters<typeof real>): Promise<void> {
    if (isFirst) {
      isFirst = false;
      happens(String(from));
    }
    await real(from, to);
  }
  Object.assign(fs, { rename });
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      Object.assign(fs, { rename: real });
      syncBuiltinESMExports();
    },
  };
}
