import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const CHECKOUT = join(import.meta.dirname, '..', '..');
const OLD =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})';

describe('tests started under a version of Node that is too old', () => {
  it.for(['test/vitest.config.ts', 'test/e2e/vitest.config.ts'])('fail at once: %s', { timeout: 60_000 }, (config) => {
    const program = join(CHECKOUT, 'node_modules', 'vitest', 'vitest.mjs');
    const args = ['run', '--root', CHECKOUT, '--config', join(CHECKOUT, config), 'test/structure/folders.test.ts'];

    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', OLD, program, ...args], {
      encoding: 'utf8',
    });

    expect(status).toBe(1);
    expect(stdout).not.toContain('RUN');
    expect(stderr).toMatch(
      /The tests need Node 24 or newer, and this is Node 20\.20\.2: start them by npm or npx, which use the one in node_modules\/\.bin/,
    );
  });
});
