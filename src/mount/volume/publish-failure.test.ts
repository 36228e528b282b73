import { existsSync, readdirSync, rmSync, watch } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  podView,
  statsBelow,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { publish } from './publish.ts';

describe('a publish that cannot be', () => {
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
  ])('refuses the path "%s" before it writes anything', async (path) => {
    using volume = temporaryVolume();

    const publishing = publish(volume.path, [plannedFile('user', 'x'), plannedFile(path, 'x')]);

    await expect(publishing).rejects.toMatchObject({ reason: 'Internal' });
    expect(readdirSync(volume.path)).toEqual([]);
  });

  it('takes names that only look odd', async () => {
    using volume = temporaryVolume();
    const files = ['.hidden', 'a..b', 'dir/..inner', 'new\nline', 'ü', '-rf', '\\'].map((path) =>
      plannedFile(path, 'x'),
    );

    await publish(volume.path, files);

    expect(podView(volume.path)).toEqual(viewOf(files));
  });

  it('does nothing once its caller has given up', async () => {
    using volume = temporaryVolume();
    const reason = new Error('the driver gave up');

    const publishing = publish(volume.path, [plannedFile('user', 'x')], AbortSignal.abort(reason));

    await expect(publishing).rejects.toBe(reason);
    expect(readdirSync(volume.path)).toEqual([]);
  });

  it('leaves no trace when its caller gives up midway', async () => {
    using volume = temporaryVolume();
    await publish(volume.path, [plannedFile('user', 'old')]);
    const before = statsBelow(volume.path);
    const giveUp = new AbortController();
    const files = Array.from({ length: 50 }, (_, n) => plannedFile(`file-${n}`, 'x'));
    const watcher = watch(volume.path, () => giveUp.abort(new Error('the driver gave up')));
    onTestFinished(() => watcher.close());

    const publishing = publish(volume.path, files, giveUp.signal);

    await expect(publishing).rejects.toThrow('the driver gave up');
    expect(Object.keys(statsBelow(volume.path))).toEqual(Object.keys(before));
    expect(podView(volume.path)).toEqual(viewOf([plannedFile('user', 'old')]));
  });

  it('names the file and the reason when one cannot be written, without a word of its content', async () => {
    using volume = temporaryVolume();
    const tooLong = `dir/${'n'.repeat(256)}`;
    await publish(volume.path, [plannedFile('user', 'old')]);

    const publishing = publish(volume.path, [plannedFile('user', 'CANARY'), plannedFile(tooLong, 'CANARY')]);

    await expect(publishing).rejects.toMatchObject({
      reason: 'VolumeUnwritable',
      message: `volume unusable: ENAMETOOLONG at "${tooLong}"`,
    });
    expect(layoutOf(volume.path)).toEqual(layoutWith('user'));
    expect(podView(volume.path)).toEqual(viewOf([plannedFile('user', 'old')]));
  });

  it('says so when the volume is gone', async () => {
    using volume = temporaryVolume();
    rmSync(volume.path, { recursive: true });

    const publishing = publish(volume.path, [plannedFile('user', 'x')]);

    await expect(publishing).rejects.toMatchObject({
      reason: 'VolumeUnwritable',
      message: expect.stringContaining('the driver has not mounted it'),
    });
    expect(existsSync(volume.path)).toBe(false);
  });
});
