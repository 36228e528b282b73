import { existsSync, readdirSync, readlinkSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  plant,
  podView,
  statsBelow,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { finish } from '../../concurrency/time-slices.ts';
import { publish } from './publish.ts';

describe('the layout', () => {
  it('is that of the driver', () => {
    using volume = temporaryVolume();
    const files = [plannedFile('user', 'admin'), plannedFile('db/prod/password', 'p'), plannedFile('db/port', '1')];

    const { changed } = finish(publish(volume.path, files));

    expect(changed).toBe(true);
    expect(podView(volume.path)).toEqual(viewOf(files));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'db'));
    expect(readlinkSync(join(volume.path, '..data'))).toMatch(/^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\w+$/);
  });

  it('of a volume without files is `..data` and an empty directory', () => {
    using volume = temporaryVolume();

    const first = finish(publish(volume.path, []));
    const second = finish(publish(volume.path, []));

    expect([first.changed, second.changed]).toEqual([true, false]);
    expect(layoutOf(volume.path)).toEqual(layoutWith());
    expect(readdirSync(join(volume.path, '..data'))).toEqual([]);
  });

  it.for(['000', '022', '077'])(
    'has the requested modes under umask %s, and directories that anyone may enter',
    (umask) => {
      using volume = temporaryVolume();
      const files = [0o644, 0o400, 0o666, 0o777, 0o440].map((mode) => plannedFile(`a/b/${mode}`, 'x', mode));
      const before = process.umask(Number.parseInt(umask, 8));
      onTestFinished(() => void process.umask(before));

      finish(publish(volume.path, files));

      expect(podView(volume.path)).toEqual(viewOf(files));
      const modes = ['..data/', 'a', 'a/b'].map((name) => statSync(join(volume.path, name)).mode & 0o7777);
      expect(modes).toEqual([0o755, 0o755, 0o755]);
    },
  );

  it('changes by another directory under the same names: links of remaining files are not touched', () => {
    using volume = temporaryVolume();
    finish(publish(volume.path, [plannedFile('user', 'old'), plannedFile('gone', 'x')]));
    const link = statsBelow(volume.path)['user'];
    const oldDir = readlinkSync(join(volume.path, '..data'));
    const files = [plannedFile('user', 'new'), plannedFile('added', 'y')];

    finish(publish(volume.path, files));

    expect(podView(volume.path)).toEqual(viewOf(files));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'added'));
    expect(existsSync(join(volume.path, oldDir))).toBe(false);
    expect(statsBelow(volume.path)['user']).toEqual(link);
  });

  it.for([
    ['a file becomes a directory', ['a'], ['a/b']],
    ['a directory becomes a file', ['a/b', 'a/c'], ['a']],
    ['a file leaves a directory', ['a/b', 'a/c'], ['a/c']],
    ['all files leave', ['a/b', 'c'], []],
  ] as const)('is updated when %s', ([, old, next]) => {
    using volume = temporaryVolume();
    finish(
      publish(
        volume.path,
        old.map((path) => plannedFile(path, 'old')),
      ),
    );
    const files = next.map((path) => plannedFile(path, 'new'));

    finish(publish(volume.path, files));

    expect(podView(volume.path)).toEqual(viewOf(files));
    expect(layoutOf(volume.path)).toEqual(layoutWith(...next.map((path) => path.slice(0, 1))));
  });
});

describe('a set that is already in the volume', () => {
  it('is not written again: a watcher of the volume gets no event', async () => {
    using volume = temporaryVolume();
    const files = [plannedFile('user', 'admin', 0o600), plannedFile('db/password', 'p')];
    finish(publish(volume.path, files));
    const before = statsBelow(volume.path);
    const events = eventsIn([volume.path, join(volume.path, '..data/'), join(volume.path, 'db/')]);

    const { changed } = finish(publish(volume.path, files.toReversed()));

    expect(changed).toBe(false);
    expect(statsBelow(volume.path)).toEqual(before);
    expect(await events()).toEqual([]);
  });

  it('is written again if only a mode differs', () => {
    using volume = temporaryVolume();
    finish(publish(volume.path, [plannedFile('user', 'admin', 0o644), plannedFile('password', 'p', 0o644)]));
    const files = [plannedFile('user', 'admin', 0o644), plannedFile('password', 'p', 0o400)];

    const { changed } = finish(publish(volume.path, files));

    expect(changed).toBe(true);
    expect(podView(volume.path)).toEqual(viewOf(files));
  });

  it.for(['user', 'db/password'])('is written again if it was removed or changed: "%s"', (path) => {
    using volume = temporaryVolume();
    const files = [plannedFile('user', 'admin'), plannedFile('db/password', 'p')];
    finish(publish(volume.path, files));
    rmSync(join(volume.path, path));

    const removed = finish(publish(volume.path, files));
    writeFileSync(join(volume.path, path), 'other');
    const altered = finish(publish(volume.path, files));

    expect([removed.changed, altered.changed]).toEqual([true, true]);
    expect(podView(volume.path)).toEqual(viewOf(files));
  });
});

describe("files that AWS's provider wrote", () => {
  it.for([
    ['the same content', 'admin'],
    ['other content', 'root'],
  ])('are taken over with %s; those of removed objects are deleted', ([, user]) => {
    using volume = temporaryVolume();
    plant(volume.path, { user: 'admin', removed: 'x' });
    const files = [plannedFile('user', user!), plannedFile('added', 'y')];

    const { changed } = finish(publish(volume.path, files));

    expect(changed).toBe(true);
    expect(podView(volume.path)).toEqual(viewOf(files));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'added'));
  });

  it('are taken over beside our own, as after a rollback and back', () => {
    using volume = temporaryVolume();
    finish(publish(volume.path, [plannedFile('user', 'ours'), plannedFile('password', 'ours')]));
    plant(volume.path, { user: 'theirs', user123456: 'a temporary file' });
    const files = [plannedFile('user', 'new'), plannedFile('password', 'ours')];

    finish(publish(volume.path, files));

    expect(podView(volume.path)).toEqual(viewOf(files));
    expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'password'));
  });
});

/** Watches directories; the events until now are those before the event of a file that the watcher creates itself. */
function eventsIn(dirs: string[]): () => Promise<string[]> {
  const sentinel = '..sentinel';
  const events: string[] = [];
  const seen = dirs.map((dir) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const watcher = watch(dir, (type, name) =>
      name === sentinel ? resolve() : void events.push(`${type} ${dir}/${name}`),
    );
    onTestFinished(() => watcher.close());
    return promise;
  });
  return async () => {
    dirs.forEach((dir) => writeFileSync(join(dir, sentinel), ''));
    await Promise.all(seen);
    return events;
  };
}
