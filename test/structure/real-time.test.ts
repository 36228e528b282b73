import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const CHECKOUT = join(import.meta.dirname, '..', '..');
/** Here real time is the subject, or a server takes it to respond. */
const EXCLUDED = ['test/{e2e,bench,demo,fakes}/**', 'test/structure/real-time.test.ts'];
/** `vi.waitFor` gives up after a second, which is short on a busy machine: `expect.poll` has the time that the config gives it. */
const SLEEPING = /\bsetTimeout\b|\bAtomics\.wait\b|\bvi\.waitFor\b/;

const ALLOWED: Readonly<Record<string, string>> = {
  'test/attacks/mixed/kinds.ts': 'keeps an attack going',
  'test/attacks/mixed/run-mix.ts': 'paces the victim and the measurements',
  'test/contract/daemon/process.test.ts': 'kills at a random moment',
  'test/contract/publish/crash.test.ts': 'kills at a random moment',
};

it('no test sleeps and takes that for proof: it waits until something is seen, or turns a clock', () => {
  const files = globSync(['test/**/*.ts', 'src/**/*.test.ts'], { cwd: CHECKOUT, exclude: EXCLUDED });
  const sleeping = files.filter((name) => SLEEPING.test(readFileSync(join(CHECKOUT, name), 'utf8')));

  expect(files.length).toBeGreaterThan(100);
  expect(sleeping.toSorted()).toEqual(Object.keys(ALLOWED));
});
