import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MAIN = join(import.meta.dirname, '..', '..', '..', 'src', 'main.ts');
/** A terminal whose output throws: a failure that no command expects. */
const BROKEN = 'data:text/javascript,process.stdout.write=()=>{throw new Error("pa"+"55")}';

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function program(nodeFlags: readonly string[], ...args: readonly string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...nodeFlags, MAIN, ...args])) };
  } catch (error) {
    return error as Ended;
  }
}

it('the program ends with the code of its command', async () => {
  const manifest = join(mkdtempSync(join(tmpdir(), 'exit-code-')), 'class.yaml');
  writeFileSync(manifest, 'kind: SecretProviderClass\nspec: {parameters: {objects: "[]"}, secretObjects: *nope}\n');

  expect(await program([], 'version')).toMatchObject({ code: 0 });
  expect(await program([], 'check', manifest)).toMatchObject({ code: 1, stderr: '' });
  expect(await program([], 'check')).toMatchObject({ code: 2 });
});

it('the program ends with 1 after a crash, and reports where', async () => {
  const { code, stderr } = await program(['--import', BROKEN], 'version');

  expect(code).toBe(1);
  expect(stderr).toContain('"msg":"failed"');
  expect(stderr).toContain('commands.ts');
  expect(stderr).not.toContain('pa55');
});
