import { existsSync, readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  podView,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { finish } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';

describe('a publish that fails', () => {
  it.for([
    '/etc/passwd',
    '../up',
    'a/../../up',
    '..',
    '.',
    '',
    'a//b',
    'a/',
    './a',
    '..data/user',
    '..hidden',
    'nul\0',
  ])('refuses the path "%s" before it writes anything', (path) => {
    using volume = temporaryVolume();

    const publishing = publish(volume.path, [plannedFile('user', 'x'), plannedFile(path, 'x')]);

    expect(() => finish(publishing)).toThrow(expect.objectContaining({ reason: 'Internal' }));
    expect(readdirSync(volume.path)).toEqual([]);
  });

  it('accepts unusual names', () => {
    using volume = temporaryVolume();
    const files = ['.hidden', 'a..b', 'dir/..inner', 'new\nline', 'ü', '-rf', '\\'].map((path) =>
      plannedFile(path, 'x'),
    );

    finish(publish(volume.path, files));

    expect(podView(volume.path)).toEqual(viewOf(files));
  });

  it('names the file and the reason if one cannot be written, without its content', () => {
    using volume = temporaryVolume();
    const tooLong = `dir/${'n'.repeat(256)}`;
    finish(publish(volume.path, [plannedFile('user', 'old')]));

    const publishing = publish(volume.path, [plannedFile('user', 'CANARY'), plannedFile(tooLong, 'CANARY')]);

    expect(() => finish(publishing)).toThrow(
      expect.objectContaining({
        reason: 'VolumeUnwritable',
        message: `volume unusable: ENAMETOOLONG at "${tooLong}"`,
      }),
    );
    expect(layoutOf(volume.path)).toEqual(layoutWith('user'));
    expect(podView(volume.path)).toEqual(viewOf([plannedFile('user', 'old')]));
  });

  it('reports that the volume no longer exists', () => {
    using volume = temporaryVolume();
    rmSync(volume.path, { recursive: true });

    const publishing = publish(volume.path, [plannedFile('user', 'x')]);

    expect(() => finish(publishing)).toThrow(
      expect.objectContaining({
        reason: 'VolumeUnwritable',
        message: expect.stringContaining('the driver has not mounted it'),
      }),
    );
    expect(existsSync(volume.path)).toBe(false);
  });
});
