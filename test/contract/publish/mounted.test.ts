import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { finish } from '../../../src/concurrency/time-slices.ts';
import { publish } from '../../../src/mount/volume/publish.ts';
import { filesOf, layoutOf, layoutWith, plannedFile, podView, temporaryVolume, viewOf } from './pod-view.ts';

const OLD = filesOf({ user: 'old', password: 'old' });

/** Mounting needs root, which CI has. */
describe.skipIf(process.getuid?.() !== 0)('in a tmpfs of its own', () => {
  it('a read-only volume is not changed, and the error says how to make it writable', () => {
    using volume = mountedVolume('size=64k');
    finish(publish(volume.path, OLD));
    execFileSync('mount', ['-o', 'remount,ro', volume.path]);

    const same = finish(publish(volume.path, OLD));
    const next = filesOf({ user: 'CANARY' });

    expect(same).toMatchObject({ changed: false });
    expect(() => finish(publish(volume.path, next))).toThrow(
      expect.objectContaining({
        reason: 'VolumeUnwritable',
        message: expect.stringMatching(
          /^volume unusable: EROFS at "\.\.\d{4}_.*": it is read-only for the provider: mount .* writable/,
        ),
      }),
    );
    expect(() => finish(publish(volume.path, next))).not.toThrow('CANARY');
    expect(podView(volume.path)).toEqual(viewOf(OLD));
  });

  it('a full volume keeps the old set, and the error names the file and the space that all files need', () => {
    using volume = mountedVolume('size=64k');
    finish(publish(volume.path, OLD));
    const files = [plannedFile('user', 'x'.repeat(40_000)), plannedFile('db/big', 'y'.repeat(60_000))];

    const publishing = publish(volume.path, files);

    expect(() => finish(publishing)).toThrow(
      expect.objectContaining({
        reason: 'VolumeUnwritable',
        message: expect.stringMatching(
          /^volume unusable: ENOSPC at "db\/big": not enough space in the volume's tmpfs for 100000 bytes/,
        ),
      }),
    );
    expect(podView(volume.path)).toEqual(viewOf(OLD));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'password'));
  });

  it('a volume without space for another name keeps the old set, and a smaller set fits', () => {
    using volume = mountedVolume('size=64k,nr_inodes=11');
    finish(publish(volume.path, OLD));
    const files = filesOf({ a: '1', b: '2', c: '3' });

    const publishing = publish(volume.path, files);

    expect(() => finish(publishing)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/ENOSPC at "[abc]"/) }),
    );
    expect(podView(volume.path)).toEqual(viewOf(OLD));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'password'));
    expect(finish(publish(volume.path, filesOf({ user: 'new' })))).toMatchObject({ changed: true });
  });

  it('space for the new files beside the old is enough, repeatedly', () => {
    using volume = mountedVolume('size=64k');

    for (let round = 0; round < 20; round += 1) {
      const files = filesOf({ user: `${round}`.repeat(10_000), password: 'x' });
      finish(publish(volume.path, files));

      expect(podView(volume.path)).toEqual(viewOf(files));
    }
  });

  it('what cannot be removed after the swap is reported, and removed as soon as possible', () => {
    using volume = mountedVolume('size=64k');
    finish(publish(volume.path, OLD));
    execFileSync('mkdir', [`${volume.path}/busy`]);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', `${volume.path}/busy`]);
    const files = filesOf({ user: 'new' });

    const publishing = publish(volume.path, files);

    expect(() => finish(publishing)).toThrow(expect.objectContaining({ message: 'volume unusable: EBUSY at "busy"' }));
    expect(podView(volume.path)).toEqual(viewOf(files));
    execFileSync('umount', [`${volume.path}/busy`]);
    finish(publish(volume.path, files));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user'));
  });
});

function mountedVolume(options: string) {
  const volume = temporaryVolume();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', volume.path]);
  return {
    path: volume.path,
    [Symbol.dispose]: () => {
      execFileSync('umount', ['--recursive', '--lazy', volume.path]);
      volume[Symbol.dispose]();
    },
  };
}
