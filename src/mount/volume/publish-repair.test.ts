import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  plant,
  podView,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { beforeRename } from '../../../test/contract/publish/at-call.ts';
import { SecretBytes } from '../../model/secret-bytes.ts';
import type { PlannedFile } from '../../model/mount-plan.ts';
import { finish } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';

describe('what a kill or another program left behind', () => {
  const old = [plannedFile('user', 'old'), plannedFile('gone', 'old')];
  const next = [plannedFile('user', 'new'), plannedFile('added', 'new')];

  it.for<[string, (target: string) => void]>([
    ['a directory without files', (target) => mkdtempSync(join(target, '..2026_01_02_03_04_05.'))],
    ['a directory half filled', (target) => plant(mkdtempSync(join(target, '..2026_01_02_03_04_05.')), { user: 'n' })],
    ['names that lead nowhere yet', (target) => symlinkSync('..data/added', join(target, 'added'))],
    ['names that will never lead anywhere', (target) => symlinkSync('..data/never', join(target, 'never'))],
    ['a link not yet renamed', (target) => symlinkSync('..x', join(target, '..2026_01_02_03_04_05.abcdef.link'))],
    ["the driver's temporary link", (target) => symlinkSync('..x', join(target, '..data_tmp'))],
    [
      'a replaced directory',
      (target) => void mkdirSync(join(target, '..2020_01_01_00_00_00.123456/a'), { recursive: true }),
    ],
    ['names without `..data`', (target) => rmSync(join(target, '..data'))],
    ['`..data` without its directory', (target) => rmSync(realpathSync(join(target, '..data')), { recursive: true })],
    ['a symlink out of the volume under one of our names', (target) => relinkTo('/etc/hostname', join(target, 'user'))],
    ['a directory under one of our names', (target) => replaceByDirectory(join(target, 'user'))],
    ['a directory in the place of `..data`', (target) => replaceByDirectory(join(target, '..data'))],
    ['a `..data` that leads out of the volume', (target) => relinkTo('/etc', join(target, '..data'))],
    ['files of no set', (target) => plant(target, { stray: 'x', '.hidden': 'y' })],
  ])('is cleaned up by the next publish: %s', ([, damage]) => {
    for (const files of [old, next]) {
      using volume = temporaryVolume();
      finish(publish(volume.path, old));
      damage(volume.path);

      finish(publish(volume.path, files));

      expect(podView(volume.path)).toEqual(viewOf(files));
      expect(layoutOf(volume.path)).toEqual(layoutWith(...files.map(({ path }) => path)));
    }
  });

  it('is compensated if another process removes the new set right before the swap', () => {
    using volume = temporaryVolume();
    finish(publish(volume.path, old));
    using _other = beforeRename((link) => rmSync(link.replace(/\.link$/, ''), { recursive: true }));

    finish(publish(volume.path, next));

    expect(podView(volume.path)).toEqual(viewOf(next));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'added'));
  });

  it('is removed, not followed: the target of a planted link is not touched', () => {
    using volume = temporaryVolume();
    using elsewhere = temporaryVolume();
    plant(elsewhere.path, { precious: 'x' });
    for (const name of ['user', 'stray', '..data', '..2026_01_02_03_04_05.abcdef']) {
      symlinkSync(elsewhere.path, join(volume.path, name));
    }

    finish(publish(volume.path, next));

    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'added'));
    expect(readdirSync(elsewhere.path)).toEqual(['precious']);
  });
});

it('makes any volume contain exactly any set', { timeout: 60_000 }, () => {
  const element = fc.constantFrom('a', 'b', 'c');
  const path = fc.array(element, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
  const plan = fc
    .uniqueArray(
      fc.record({
        path,
        mode: fc.integer({ min: 0, max: 0o777 }).map((mode) => mode | 0o400),
        value: fc.uint8Array({ maxLength: 4 }).map((bytes) => new SecretBytes(bytes)),
      }),
      { selector: (file) => file.path, maxLength: 6 },
    )
    .map((files) => files.filter((file) => !files.some((other) => file.path.startsWith(`${other.path}/`))));
  const planted = fc.dictionary(element, fc.string({ maxLength: 4 }));

  fc.assert(
    fc.property(plan, planted, fc.array(plan, { minLength: 1, maxLength: 3 }), (first, plain, sets) => {
      using volume = temporaryVolume();
      finish(publish(volume.path, first));
      plant(volume.path, plain);
      for (const files of sets) {
        finish(publish(volume.path, files));

        expect(podView(volume.path)).toEqual(viewOf(files));
        expect(layoutOf(volume.path)).toEqual(layoutWith(...topNames(files)));
        expect(finish(publish(volume.path, files))).toMatchObject({ changed: false });
      }
    }),
    { numRuns: 40 },
  );
});

function topNames(files: readonly PlannedFile[]): string[] {
  return files.map((file) => file.path.split('/')[0]!);
}

function relinkTo(to: string, link: string): void {
  rmSync(link);
  symlinkSync(to, link);
}

function replaceByDirectory(path: string): void {
  rmSync(path);
  mkdirSync(join(path, 'inner'), { recursive: true });
  writeFileSync(join(path, 'inner/file'), 'x');
}
