import { expect, it } from 'vitest';
import {
  layoutOf,
  layoutWith,
  plannedFile,
  podView,
  temporaryVolume,
  viewOf,
} from '../../../test/contract/publish/pod-view.ts';
import { createKeyedLock } from './volume-lock.ts';
import { createVolumes } from './volumes.ts';

it('serialises publishes to one volume, however its path is written; the last asked is what stays', async () => {
  using volume = temporaryVolume();
  const lock = createKeyedLock();
  const volumes = createVolumes(lock);
  const sets = Array.from({ length: 8 }, (_, n) => [plannedFile('user', `u${n}`), plannedFile(`only-${n}`, `p${n}`)]);

  const outcomes = await Promise.all(
    sets.map((set, n) => volumes.publish(n % 2 === 0 ? volume.path : `${volume.path}/`, set)),
  );

  expect(outcomes).toMatchObject(sets.map(() => ({ changed: true })));
  expect(podView(volume.path)).toEqual(viewOf(sets[7]!));
  expect(layoutOf(volume.path)).toEqual(layoutWith('user', 'only-7'));
  expect(lock.size).toBe(0);
});

it('reads between two publishes, never amid one', async () => {
  using volume = temporaryVolume();
  const volumes = createVolumes();
  const [old, next] = [[plannedFile('user', 'old')], [plannedFile('user', 'new'), plannedFile('password', 'new')]];

  const [, first, , second] = await Promise.all([
    volumes.publish(volume.path, old),
    volumes.read(volume.path),
    volumes.publish(volume.path, next),
    volumes.read(volume.path),
  ]);

  expect(viewOf(first.files)).toEqual(viewOf(old));
  expect(viewOf(second.files)).toEqual(viewOf(next));
});

it('lets go of a volume whose publish failed', async () => {
  using volume = temporaryVolume();
  const lock = createKeyedLock();
  const volumes = createVolumes(lock);

  const refused = volumes.publish(volume.path, [plannedFile('../outside', 'x')]);
  const served = volumes.publish(volume.path, [plannedFile('user', 'x')]);

  await expect(refused).rejects.toThrow('no path inside a volume');
  await expect(served).resolves.toMatchObject({ changed: true });
  expect(lock.size).toBe(0);
});
