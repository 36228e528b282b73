import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { finish } from '../../../src/concurrency/time-slices.ts';
import { publish } from '../../../src/mount/volume/publish.ts';
import { filesOf, plant, temporaryVolume } from './pod-view.ts';
import type { ReaderReport } from './reader.ts';

const NAMES = ['user', 'password', 'dir/file'];

it.for(['names', 'directory'] as const)(
  'a reader of the %s sees no missing, partial or mixed set while sets change',
  async (how) => {
    using volume = temporaryVolume();
    finish(publish(volume.path, filesOf(generation(0, NAMES))));
    const reader = await startReader(how, volume.path, NAMES);

    for (let n = 1; n <= 150; n += 1) {
      // Names that are added and removed must not disturb those that stay.
      finish(publish(volume.path, filesOf(generation(n, [...NAMES, `only-${n % 2}`]))));
    }
    const report = await reader.stop();

    expect(report).toMatchObject({ generation: 150, faults: [] });
    expect(report.generations).toBeGreaterThan(10);
  },
);

it("a reader of plain files sees no missing, partial or mixed set while they are taken over from AWS's provider", async () => {
  using volume = temporaryVolume();
  const names = ['user', 'password', 'other'];
  plant(volume.path, generation(0, names));
  const reader = await startReader('names', volume.path, names);

  for (let n = 1; n <= 150; n += 1) {
    finish(publish(volume.path, filesOf(generation(n, names))));
    plant(volume.path, generation(n, n % 2 === 0 ? names : names.slice(1)));
  }
  const report = await reader.stop();

  expect(report).toMatchObject({ generation: 150, faults: [] });
  expect(report.generations).toBeGreaterThan(10);
});

it('such a reader detects files that are replaced one by one as a mixed set', async () => {
  using volume = temporaryVolume();
  plant(volume.path, generation(0, NAMES.slice(0, 2)));
  const reader = await startReader('names', volume.path, NAMES.slice(0, 2));

  plant(volume.path, generation(1, ['user']));
  const report = await reader.stop();

  expect(report.faults).toContain('password has 0 after 1 was there');
});

/** Each of 8 KiB, two pages, so that half a file would be detected. */
function generation(n: number, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${n}\n`.repeat(Math.ceil(8192 / `${n}\n`.length))]));
}

async function startReader(how: 'names' | 'directory', target: string, names: readonly string[]) {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reader.ts'), how, target, ...names], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    async stop(): Promise<ReaderReport> {
      child.stdin.end();
      return JSON.parse(await text(child.stdout));
    },
  };
}
