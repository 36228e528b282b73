import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { plannedFile, temporaryVolume, viewOf } from '../../../test/contract/publish/pod-view.ts';
import { finish } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';
import { readVolume } from './volume.ts';

it('reads back what was published: path, mode and bytes', () => {
  using volume = temporaryVolume();
  const files = [plannedFile('user', 'admin', 0o400), plannedFile('db/prod/password', 'pä$$', 0o640)];
  finish(publish(volume.path, files));

  const read = finish(readVolume(volume.path));

  expect(viewOf(read.files)).toEqual(viewOf(files));
  expect(Object.fromEntries(read.names)).toEqual({ user: 'linked', db: 'linked' });
});

it("reads plain files of AWS's provider, whose mode may have more than permission bits", () => {
  using volume = temporaryVolume();
  writeFileSync(join(volume.path, 'user'), 'admin');
  chmodSync(join(volume.path, 'user'), 0o4755);

  const read = finish(readVolume(volume.path));

  expect(read.dataDir).toBeUndefined();
  expect(viewOf(read.files)).toEqual(viewOf([plannedFile('user', 'admin', 0o4755)]));
});

it('follows no link outside the layout, and does not block on a pipe', () => {
  using volume = temporaryVolume();
  using elsewhere = temporaryVolume();
  writeFileSync(join(elsewhere.path, 'host'), 'a file of the node');
  finish(publish(volume.path, [plannedFile('user', 'admin'), plannedFile('dir/file', 'x')]));
  symlinkSync(join(elsewhere.path, 'host'), join(volume.path, 'planted'));
  symlinkSync('..data/user', join(volume.path, 'alias'));
  symlinkSync(elsewhere.path, join(volume.path, '..data/dir/planted'));
  execFileSync('mkfifo', [join(volume.path, 'pipe')]);

  const read = finish(readVolume(volume.path));

  expect(Object.keys(viewOf(read.files)).toSorted()).toEqual(['dir/file', 'user']);
  expect(read.names.get('planted')).toBe('foreign');
  expect(read.names.get('pipe')).toBe('foreign');
});

it.for(['/tmp', '.', '..', '..data', '../volume', '..gone', '..file'])(
  'reads no set from a `..data` that points to "%s"',
  (to) => {
    using volume = temporaryVolume();
    writeFileSync(join(volume.path, '..file'), 'x');
    symlinkSync(to, join(volume.path, '..data'));
    symlinkSync('..data/user', join(volume.path, 'user'));

    const read = finish(readVolume(volume.path));

    expect(read).toEqual({ dataDir: undefined, names: new Map([['user', 'linked']]), files: [] });
  },
);

it('names the remedy for a volume that does not exist', () => {
  using volume = temporaryVolume();
  rmSync(volume.path, { recursive: true });

  const reading = readVolume(volume.path);

  expect(() => finish(reading)).toThrow(
    expect.objectContaining({
      reason: 'VolumeUnwritable',
      message: expect.stringMatching(
        /^volume unusable: ENOENT at "\/.*": the volume is not there: the driver has not mounted it, or .*HostToContainer/,
      ),
    }),
  );
});

it.for(['link', 'link/', 'file'])('refuses "%s", which is not a directory, in place of the volume', (name) => {
  using volume = temporaryVolume();
  mkdirSync(join(volume.path, 'real'));
  symlinkSync('real', join(volume.path, 'link'));
  writeFileSync(join(volume.path, 'file'), '');

  const reading = readVolume(`${volume.path}/${name}`);

  expect(() => finish(reading)).toThrow(
    expect.objectContaining({
      reason: 'VolumeUnwritable',
      message: expect.stringContaining('is not a directory'),
    }),
  );
});
